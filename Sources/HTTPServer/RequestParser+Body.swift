import CEvent

/// Bodies: sized ones, and chunked ones (RFC 9112 section 7.1).
extension RequestParser {
    /// Consumes what is there of the body. Returns whether it is complete.
    mutating func parseBody(
        _ start: UnsafePointer<UInt8>, _ count: Int, _ consumed: inout Int
    ) throws(RequestError) -> Bool {
        if phase == .sizedBody {
            takeData(start, count, &consumed)
            return remainingCount == 0
        }
        while true {
            switch phase {
            case .chunkSize:
                guard let line = try line(start, count, consumed, bytesMax: limits.chunkLineBytesMax) else { return false }
                try parseChunkSize(start, consumed, line)
                consumed = line + 2
            case .chunkData:
                takeData(start, count, &consumed)
                guard remainingCount == 0 else { return false }
                phase = .chunkDataEnd
            case .chunkDataEnd:
                if consumed < count, start[consumed] != 13 { throw RequestParser.badChunkEnd }
                if consumed + 1 < count, start[consumed + 1] != 10 { throw RequestParser.badChunkEnd }
                guard consumed + 1 < count else { return false }
                consumed += 2
                phase = .chunkSize
            case .trailers:
                guard let line = try trailerLine(start, count, consumed) else { return false }
                let isLast = line == consumed
                if !isLast { try checkTrailer(start, consumed, line) }
                consumed = line + 2
                if isLast { return true }
            case .head, .sizedBody:
                preconditionFailure("a chunked body is parsed in its own phases only")
            }
        }
    }

    private static let badChunkEnd = RequestError.badRequest("a chunk's data is not followed by CRLF")

    private mutating func takeData(_ start: UnsafePointer<UInt8>, _ count: Int, _ consumed: inout Int) {
        let taken = min(remainingCount, count - consumed)
        guard taken > 0 else { return }
        body?.append(start + consumed, taken)
        remainingCount -= taken
        consumed += taken
    }

    /// Where the line that begins at `from` ends (at its CR), or nil while it has no end.
    private func line(
        _ start: UnsafePointer<UInt8>, _ count: Int, _ from: Int, bytesMax: Int
    ) throws(RequestError) -> Int? {
        let available = min(count - from, bytesMax)
        guard available > 0, let lineFeed = memchr(start + from, 10, available) else {
            guard count - from < bytesMax else {
                throw .badRequest("a line of the chunked body exceeds \(bytesMax) bytes")
            }
            return nil
        }
        let end = UnsafePointer(lineFeed.assumingMemoryBound(to: UInt8.self)) - start
        guard end > from, start[end - 1] == 13 else {
            throw .badRequest("a line of the chunked body ends with a bare LF; expected CRLF")
        }
        return end - 1
    }

    /// `chunk-size [ chunk-ext ] CRLF`; extensions are bounded, checked for their characters and ignored.
    private mutating func parseChunkSize(
        _ start: UnsafePointer<UInt8>, _ lineStart: Int, _ lineEnd: Int
    ) throws(RequestError) {
        var position = lineStart
        var size = 0
        while position < lineEnd, let digit = hexValue(start[position]) {
            if size <= limits.bodyBytesMax { size = size << 4 | Int(digit) }
            position += 1
        }
        guard position > lineStart, position - lineStart <= 16 else {
            throw .badRequest("malformed chunk size; expected 1 to 16 hexadecimal digits")
        }
        if position < lineEnd {
            extensionBytes += lineEnd - position
            while position < lineEnd, isBlank(start[position]) { position += 1 }
            guard position < lineEnd, start[position] == UInt8(ascii: ";"),
                isFieldValue(start + position, lineEnd - position)
            else { throw .badRequest("malformed chunk size line; expected CRLF or \";\" behind the size") }
            guard extensionBytes <= limits.chunkExtensionBytesMax else {
                throw .badRequest("the chunk extensions exceed \(limits.chunkExtensionBytesMax) bytes")
            }
        }
        guard size <= limits.bodyBytesMax - (body?.count ?? 0) else {
            throw RequestError(.contentTooLarge, "the chunked body exceeds \(limits.bodyBytesMax) bytes")
        }
        remainingCount = size
        phase = size == 0 ? .trailers : .chunkData
    }

    private mutating func trailerLine(
        _ start: UnsafePointer<UInt8>, _ count: Int, _ from: Int
    ) throws(RequestError) -> Int? {
        let left = limits.headerBytesMax - trailerBytes
        let available = min(count - from, left)
        guard available > 0, let lineFeed = memchr(start + from, 10, available) else {
            guard count - from < left else {
                throw RequestError(.headerFieldsTooLarge, "the trailer fields exceed \(limits.headerBytesMax) bytes")
            }
            return nil
        }
        let end = UnsafePointer(lineFeed.assumingMemoryBound(to: UInt8.self)) - start
        guard end > from, start[end - 1] == 13 else {
            throw .badRequest("a trailer line ends with a bare LF; expected CRLF")
        }
        trailerBytes += end + 1 - from
        return end - 1
    }

    private mutating func checkTrailer(
        _ start: UnsafePointer<UInt8>, _ lineStart: Int, _ lineEnd: Int
    ) throws(RequestError) {
        trailerCount += 1
        guard trailerCount <= limits.headerCountMax else {
            throw RequestError(.headerFieldsTooLarge, "more than \(limits.headerCountMax) trailer fields")
        }
        // Ranges are offsets of 16 bits: relative to the line, which is shorter than that.
        _ = try fieldRange(start + lineStart, 0, lineEnd - lineStart)
    }
}
