import Glibc

/// Lines of a file or of standard input, as soon as they are there.
struct LineInput {
    /// The longest line taken.
    static let lineBytesMax = 8 << 20

    private let descriptor: Int32
    private let name: String
    private var buffer: [UInt8] = []
    private var position = 0
    private var isAtEnd = false

    /// - Parameter path: `-` for standard input.
    init(_ path: String) throws(ClientError) {
        name = path == "-" ? "standard input" : path
        descriptor = path == "-" ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw ClientError("cannot open \(path): \(String(cString: strerror(errno)))") }
    }

    /// Whether a person types the lines.
    var isTerminal: Bool { isatty(descriptor) == 1 }

    /// Whether the next line is there without waiting, or the end is.
    var isReady: Bool {
        if isAtEnd || buffer[position...].contains(UInt8(ascii: "\n")) { return true }
        var poll = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        return Glibc.poll(&poll, 1, 0) > 0
    }

    /// The next line without its end; nil after the last. Waits for it.
    mutating func next() throws(ClientError) -> ArraySlice<UInt8>? {
        var searched = position
        while true {
            if let end = buffer[searched...].firstIndex(of: UInt8(ascii: "\n")) {
                defer { position = end + 1 }
                return withoutReturn(buffer[position..<end])
            }
            if isAtEnd {
                defer { position = buffer.count }
                return position < buffer.count ? withoutReturn(buffer[position...]) : nil
            }
            guard buffer.count - position <= Self.lineBytesMax else {
                throw ClientError("a line of \(name) is longer than \(Self.lineBytesMax) bytes")
            }
            buffer.removeFirst(position)
            position = 0
            searched = buffer.count
            try fill()
        }
    }

    private mutating func fill() throws(ClientError) {
        let old = buffer.count
        buffer.append(contentsOf: repeatElement(0, count: 1 << 16))
        let count = buffer.withUnsafeMutableBytes { bytes in
            var count = read(descriptor, bytes.baseAddress.map { $0 + old }, 1 << 16)
            while count < 0 && errno == EINTR { count = read(descriptor, bytes.baseAddress.map { $0 + old }, 1 << 16) }
            return count
        }
        let error = errno
        buffer.removeLast((1 << 16) - max(0, count))
        guard count >= 0 else { throw ClientError("cannot read \(name): \(String(cString: strerror(error)))") }
        if count == 0 { isAtEnd = true }
    }

    private func withoutReturn(_ line: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        line.last == UInt8(ascii: "\r") ? line.dropLast() : line
    }
}
