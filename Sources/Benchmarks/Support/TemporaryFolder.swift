import CLinux

/// A folder that is removed with all it holds when the benchmark is over.
final class TemporaryFolder {
    let path: String

    /// - Parameter parent: where to make it; a disk, for measurements that sync.
    init(in parent: String) throws(BenchmarkError) {
        // mkdtemp(3) replaces the six letters.
        var name = Array((parent + "/martlet-bench-" + String(repeating: "X", count: 6)).utf8CString)
        guard mkdtemp(&name) != nil else { throw .system("make a folder in \(parent)") }
        path = String(decoding: name.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    deinit {
        clinux_remove_tree(path)
    }

    /// Writes a file in the folder and returns its path.
    func write(_ text: String, as name: String) throws(BenchmarkError) -> String {
        let file = path + "/" + name
        let descriptor = clinux_create_file(file)
        guard descriptor >= 0 else { throw .system("create \(file)") }
        defer { close(descriptor) }
        var text = text
        let written = text.withUTF8 { CLinux.write(descriptor, $0.baseAddress, $0.count) == $0.count }
        guard written else { throw .system("write \(file)") }
        return file
    }
}
