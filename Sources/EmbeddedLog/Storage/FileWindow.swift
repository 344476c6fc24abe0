import Glibc

/// Looks at a file through a buffer that moves along with the reader. For one thread.
final class FileWindow {
    private static let readBytes = 256 << 10

    private let file: any LogFile
    /// Bytes of the file that may be looked at.
    let size: Int
    private var memory: UnsafeMutableRawPointer
    private var capacity: Int
    private var start = 0
    private var count = 0

    init(_ file: any LogFile, size: Int) {
        self.file = file
        self.size = size
        capacity = max(1, min(Self.readBytes, size))
        memory = malloc(capacity)!
    }

    deinit { free(memory) }

    /// The bytes at a position, until the next call; `nil` if the file has fewer.
    func pointer(at position: Int, count wanted: Int) throws(LogError) -> UnsafeRawPointer? {
        if position < 0 || wanted < 0 || wanted > size - position { return nil }
        if position < start || position + wanted > start + count { try load(position, wanted) }
        return position + wanted <= start + count ? UnsafeRawPointer(memory + (position - start)) : nil
    }

    /// The batch header at a position; `nil` if there can be none.
    func header(at position: Int) throws(LogError) -> BatchHeader? {
        try pointer(at: position, count: BatchHeader.bytes).flatMap { BatchHeader($0, available: BatchHeader.bytes) }
    }

    private func load(_ position: Int, _ wanted: Int) throws(LogError) {
        if wanted > capacity {
            free(memory)
            capacity = wanted
            memory = malloc(capacity)!
        }
        start = position
        count = 0
        count = try file.read(into: UnsafeMutableRawBufferPointer(start: memory, count: min(capacity, size - position)), at: Int64(position))
    }
}
