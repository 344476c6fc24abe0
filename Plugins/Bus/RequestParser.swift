import Martlet

/// Takes requests out of a stream of bytes: arrays of bulk strings, or words on a line (RESP, the Redis protocol).
/// A state machine without I/O.
///
/// Limits: see ``Limits``; what exceeds one is an error, after which the stream cannot be read on.
struct RequestParser {
    /// What one request may have.
    struct Limits {
        /// Words of one request.
        var words: Int
        /// Bytes of one word.
        var wordBytes: Int
        /// Bytes of all its words.
        var requestBytes: Int

        /// A line with a length, its end included.
        static let lengthLineBytes = 32
        /// A request in a line.
        static let inlineBytes = 64 * 1024
        /// As in Redis, for clients that have not logged in.
        static let beforeLogin = Limits(words: 10, wordBytes: 16_384, requestBytes: 65_536)
    }

    /// The stream is no request.
    struct Malformed: Error {
        /// For the answer; without the client's bytes.
        let message: String
    }

    var limits: Limits
    private var buffer: [UInt8] = []
    private var position = 0
    /// How far the end of a line has been looked for.
    private var searched = 0
    /// The request that is being read.
    private var words: [Bytes] = []
    private var wordsLeft = 0
    private var wordLength: Int?
    private var requestBytes = 0

    init(limits: Limits) {
        self.limits = limits
    }

    mutating func append(_ bytes: UnsafeRawBufferPointer) {
        if position > 0, position == buffer.count {
            buffer.removeAll(keepingCapacity: buffer.capacity <= 1 << 20)
            (position, searched) = (0, 0)
        } else if position > 65_536, position * 2 > buffer.count {
            buffer.removeFirst(position)
            searched -= min(searched, position)
            position = 0
        }
        buffer.append(contentsOf: bytes)
    }

    /// The next request, or nil if more bytes are needed. Empty requests are skipped.
    mutating func next() throws(Malformed) -> [Bytes]? {
        while true {
            if wordsLeft == 0 {
                guard let first = byte(0) else { return nil }
                guard first == UInt8(ascii: "*") else {
                    guard let words = try inlineRequest() else { return nil }
                    if words.isEmpty { continue }
                    return words
                }
                guard let count = try length(after: UInt8(ascii: "*"), what: "multibulk length") else { return nil }
                guard count <= limits.words else { throw Malformed(message: "invalid multibulk length") }
                words.removeAll()
                requestBytes = 0
                wordsLeft = max(0, count)
                if wordsLeft == 0 { continue }
            }
            guard try nextWord() else { return nil }
            if wordsLeft == 0 { return words }
        }
    }

    // MARK: Arrays

    /// Reads one word; false if more bytes are needed.
    private mutating func nextWord() throws(Malformed) -> Bool {
        if wordLength == nil {
            guard let first = byte(0) else { return false }
            guard first == UInt8(ascii: "$") else { throw Malformed(message: "expected '$'") }
            guard let length = try length(after: UInt8(ascii: "$"), what: "bulk length") else { return false }
            guard length >= 0, length <= limits.wordBytes else { throw Malformed(message: "invalid bulk length") }
            requestBytes += length
            guard requestBytes <= limits.requestBytes else { throw Malformed(message: "request too large") }
            wordLength = length
        }
        guard let length = wordLength, let last = byte(length + 1) else { return false }
        guard byte(length) == UInt8(ascii: "\r"), last == UInt8(ascii: "\n") else {
            throw Malformed(message: "expected CRLF after a bulk string")
        }
        words.append(buffer.withUnsafeBytes { Bytes(copying: UnsafeRawBufferPointer(rebasing: $0[position..<position + length])) })
        advance(length + 2)
        wordLength = nil
        wordsLeft -= 1
        return true
    }

    /// The number on a line that begins with `mark`; nil if the line is not complete.
    private mutating func length(after mark: UInt8, what: String) throws(Malformed) -> Int? {
        guard let end = lineEnd() else {
            guard buffer.count - position < Limits.lengthLineBytes else { throw Malformed(message: "invalid \(what)") }
            return nil
        }
        // The line without its mark and its CR.
        let digits = buffer[position + 1..<max(position + 1, end - 1)]
        guard end - position < Limits.lengthLineBytes, buffer[end - 1] == UInt8(ascii: "\r"), let number = Self.number(digits)
        else { throw Malformed(message: "invalid \(what)") }
        advance(end + 1 - position)
        return number
    }

    private static func number(_ digits: ArraySlice<UInt8>) -> Int? {
        if digits.elementsEqual("-1".utf8) { return -1 }
        guard !digits.isEmpty, digits.count <= 10 else { return nil }
        var value = 0
        for byte in digits {
            guard byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "9") else { return nil }
            value = value * 10 + Int(byte - UInt8(ascii: "0"))
        }
        return value
    }

    // MARK: Lines

    private mutating func inlineRequest() throws(Malformed) -> [Bytes]? {
        guard let end = lineEnd(), end - position <= Limits.inlineBytes else {
            guard buffer.count - position <= Limits.inlineBytes else { throw Malformed(message: "too big inline request") }
            return nil
        }
        var line = buffer[position..<end]
        if line.last == UInt8(ascii: "\r") { line.removeLast() }
        advance(end + 1 - position)
        guard let words = InlineWords.split(line) else { throw Malformed(message: "unbalanced quotes in request") }
        guard words.count <= limits.words, line.count <= limits.requestBytes else {
            throw Malformed(message: "too big inline request")
        }
        return words
    }

    // MARK: The buffer

    private func byte(_ offset: Int) -> UInt8? {
        position + offset < buffer.count ? buffer[position + offset] : nil
    }

    /// Where the next line feed is. Bytes are looked at once, however small the pieces in which they come.
    private mutating func lineEnd() -> Int? {
        let from = max(position, searched)
        searched = buffer.count
        guard let found = buffer[from...].firstIndex(of: UInt8(ascii: "\n")) else { return nil }
        searched = found
        return found
    }

    private mutating func advance(_ count: Int) {
        position += count
        searched = position
    }
}
