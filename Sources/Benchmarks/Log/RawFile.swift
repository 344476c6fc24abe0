import CLinux

/// The same bytes without a log: `pwrite` and `fdatasync` on one file.
enum RawFile {
    /// Whether the file grows or its blocks are there already, as a journal's are.
    enum Kind {
        case growing
        case overwritten
    }

    /// Writes and syncs blocks for a time; returns how many.
    static func run(_ kind: Kind, blockBytes: Int, seconds: Double, in folder: TemporaryFolder) throws(BenchmarkError) -> Double {
        let path = folder.path + "/raw"
        let descriptor = clinux_create_file(path)
        guard descriptor >= 0 else { throw .system("create \(path)") }
        defer {
            close(descriptor)
            unlink(path)
        }
        let length = Int64(128 << 20)
        if kind == .overwritten, !clinux_fill_with_zeros(descriptor, length) { throw .system("fill \(path)") }
        let block = [UInt8](repeating: UInt8(ascii: "v"), count: blockBytes)
        let start = MonotonicClock.now
        let end = start + MonotonicClock.seconds(seconds)
        var place: Int64 = 0
        var count = 0
        while MonotonicClock.now < end {
            if kind == .overwritten, place + Int64(blockBytes) > length { place = 0 }
            guard pwrite(descriptor, block, blockBytes, Int(place)) == blockBytes, fdatasync(descriptor) == 0 else {
                throw .system("write and sync \(path)")
            }
            place += Int64(blockBytes)
            count += 1
        }
        return Double(count) / (Double(MonotonicClock.now - start) / 1e9)
    }
}
