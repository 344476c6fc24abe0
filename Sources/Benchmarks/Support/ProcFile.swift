import CLinux

/// Files whose text is read whole: those of the kernel, and a child's output.
enum ProcFile {
    /// The text; empty if the file cannot be read.
    static func text(_ path: String) -> String {
        let descriptor = clinux_open_for_reading(path)
        guard descriptor >= 0 else { return "" }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var block = [UInt8](repeating: 0, count: 16_384)
        while true {
            let count = read(descriptor, &block, block.count)
            guard count > 0 else { break }
            bytes += block[..<count]
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// What stands behind `name:` in the first line that begins so.
    static func field(_ name: String, of path: String) -> String? {
        for line in text(path).split(separator: "\n") where line.hasPrefix(name) {
            let parts = line.split(separator: ":", maxSplits: 1)
            guard parts.count == 2 else { continue }
            return String(parts[1].drop { $0 == " " || $0 == "\t" })
        }
        return nil
    }

    /// A number of kibibytes behind `name:`, in bytes.
    static func kibibytes(_ name: String, of path: String) -> Int? {
        guard let digits = field(name, of: path)?.prefix(while: { $0.isNumber }), let value = Int(digits) else { return nil }
        return value * 1024
    }
}
