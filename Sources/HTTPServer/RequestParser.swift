import CEvent

/// A strict parser of HTTP/1.1 requests (RFC 9112) as a state machine without I/O. It rejects and never repairs, so
/// that no other server can read the same bytes differently.
///
/// The caller presents the bytes received and not yet consumed, again and again with more appended:
///
///     head        nothing is consumed until the empty line that ends it; lines already seen are not parsed again
///     body        consumed as it comes (sized), or chunk by chunk (chunked); trailers are checked and dropped
///
/// Invariants: a request is accepted or refused with the same status however its bytes are split; memory is bounded by
/// `RequestLimits`; after a failure only the failure is returned.
package struct RequestParser {
    enum Phase {
        case head, sizedBody, chunkSize, chunkData, chunkDataEnd, trailers
    }

    /// What a call to `parse` led to. `consumed` counts the bytes not to be presented again.
    package enum Result {
        /// More bytes are needed.
        case incomplete(consumed: Int)
        /// The head is complete, and the client waits for `100 Continue` before it sends the body.
        case continueExpected(consumed: Int)
        /// A request is complete. What follows it belongs to the next.
        case request(HTTPRequest, consumed: Int)
        /// The bytes are not a request this server accepts. The connection cannot be used any more.
        case failed(RequestError)
    }

    let limits: RequestLimits
    var phase = Phase.head
    private var failure: RequestError?

    // Head: offsets from the start of the bytes presented.
    var scannedCount = 0
    var lineStart = 0
    var fieldsStart = 0
    var hasRequestLine = false
    var fields: [FieldRange] = []
    var draft = RequestDraft()

    // Body.
    var request: HTTPRequest?
    var body: BodyBuffer?
    var remainingCount = 0
    var extensionBytes = 0
    var trailerBytes = 0
    var trailerCount = 0

    /// A parser at the start of a connection.
    package init(limits: RequestLimits = RequestLimits()) {
        precondition(
            limits.requestLineBytesMax + limits.headerBytesMax < 65_000,
            "a request line and its header fields must fit into 65,000 bytes"
        )
        self.limits = limits
    }

    /// Whether the bytes presented so far belong to a request that is not complete.
    var isInsideRequest: Bool { phase != .head || scannedCount > 0 }

    /// Whether the head of the current request is complete and its body is awaited.
    var isInsideBody: Bool { phase != .head }

    /// Continues with the bytes not consumed before, followed by new ones.
    package mutating func parse(_ bytes: UnsafeRawBufferPointer) -> Result {
        if let failure { return .failed(failure) }
        guard let start = bytes.baseAddress?.assumingMemoryBound(to: UInt8.self) else { return .incomplete(consumed: 0) }
        do throws(RequestError) {
            return try advance(start, bytes.count)
        } catch {
            failure = error
            return .failed(error)
        }
    }

    private mutating func advance(_ start: UnsafePointer<UInt8>, _ count: Int) throws(RequestError) -> Result {
        var consumed = 0
        if phase == .head {
            guard let headCount = try parseHead(start, count) else { return .incomplete(consumed: 0) }
            consumed = headCount
            let isWaiting = draft.expectsContinue && consumed == count
            let finished = beginBody(start, headCount)
            if let finished { return .request(finished, consumed: consumed) }
            if isWaiting { return .continueExpected(consumed: consumed) }
        }
        let isComplete = try parseBody(start, count, &consumed)
        guard isComplete, let request else { return .incomplete(consumed: consumed) }
        if let body { request.body = body.take() }
        self.request = nil
        body = nil
        phase = .head
        return .request(request, consumed: consumed)
    }

    /// Makes the request of a complete head. Returns it if it has no body.
    private mutating func beginBody(_ start: UnsafePointer<UInt8>, _ headCount: Int) -> HTTPRequest? {
        let complete = HTTPRequest(draft: draft, fields: fields, head: start, count: headCount)
        let contentLength = draft.contentLength ?? 0
        let isChunked = draft.transferEncoding != nil
        resetHead()
        guard isChunked || contentLength > 0 else { return complete }
        request = complete
        body = BodyBuffer(expectedCount: contentLength)
        remainingCount = contentLength
        extensionBytes = 0
        trailerBytes = 0
        trailerCount = 0
        phase = isChunked ? .chunkSize : .sizedBody
        return nil
    }

    private mutating func resetHead() {
        scannedCount = 0
        lineStart = 0
        fieldsStart = 0
        hasRequestLine = false
        fields.removeAll(keepingCapacity: fields.capacity <= 32)
        draft = RequestDraft()
    }

    /// Parses as much of a head as is there. Returns its length with the final empty line, or nil if more is needed.
    private mutating func parseHead(_ start: UnsafePointer<UInt8>, _ count: Int) throws(RequestError) -> Int? {
        if !hasRequestLine && count > lineStart { try checkFirstByte(start[lineStart]) }
        while true {
            guard let lineFeed = memchr(start + scannedCount, 10, count - scannedCount) else {
                scannedCount = count
                try checkLength(upTo: count)
                return nil
            }
            let end = UnsafePointer(lineFeed.assumingMemoryBound(to: UInt8.self)) - start
            scannedCount = end + 1
            try checkLength(upTo: scannedCount)
            guard end > lineStart, start[end - 1] == 13 else {
                throw .badRequest("a line of the head ends with a bare LF; expected CRLF")
            }
            let lineEnd = end - 1
            if lineEnd > lineStart {
                if hasRequestLine {
                    try parseFieldLine(start, lineStart, lineEnd)
                } else {
                    try parseRequestLine(start, lineStart, lineEnd)
                    hasRequestLine = true
                    fieldsStart = scannedCount
                }
            } else if hasRequestLine {
                try checkHead(start)
                return scannedCount
            } else {
                // RFC 9112 section 2.2: an empty line before the request line is ignored, here exactly one.
                guard lineStart == 0 else { throw .badRequest("more than one empty line before the request line") }
            }
            lineStart = scannedCount
            if !hasRequestLine && count > lineStart { try checkFirstByte(start[lineStart]) }
        }
    }

    /// Refuses at once what cannot become a request line, a TLS greeting for instance, instead of waiting for its end.
    private func checkFirstByte(_ byte: UInt8) throws(RequestError) {
        guard ByteSet.token.contains(byte) || byte == 13 || byte == 10 else {
            throw .badRequest("the first byte 0x\(String(byte, radix: 16)) cannot start a method; is this plain HTTP?")
        }
    }

    private func checkLength(upTo end: Int) throws(RequestError) {
        if !hasRequestLine {
            guard end - lineStart <= limits.requestLineBytesMax else {
                throw RequestError(.uriTooLong, "the request line exceeds \(limits.requestLineBytesMax) bytes")
            }
        } else if end - fieldsStart > limits.headerBytesMax {
            throw RequestError(.headerFieldsTooLarge, "the header fields exceed \(limits.headerBytesMax) bytes")
        }
    }
}
