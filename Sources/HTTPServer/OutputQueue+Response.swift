/// Responses in wire form.
extension OutputQueue {
    /// Bodies up to this size are copied behind their head, larger ones are sent from where they are.
    private static let copiedBodyBytesMax = 4096

    /// Writes status line, fields and body.
    mutating func append(_ response: HTTPResponse, closing: Bool, loop: EventLoop) {
        let pool = loop.outputPool
        if let line = response.status.line {
            append(line, pool)
        } else {
            append(Array("HTTP/1.1 \(response.status.code) \r\n".utf8), pool)
        }
        loop.dateHeader.refresh()
        append(loop.dateHeader.line, pool)
        append(response.headers.bytes, pool)
        if response.stream != nil {
            if response.minorVersion == 1 { append("Transfer-Encoding: chunked\r\n", pool) }
        } else if !response.status.forbidsContent {
            append("Content-Length: ", pool)
            appendDecimal(response.body.count, pool)
            append("\r\n", pool)
        }
        if closing {
            append("Connection: close\r\n\r\n", pool)
        } else if response.minorVersion == 0 {
            append("Connection: keep-alive\r\n\r\n", pool)
        } else {
            append("\r\n", pool)
        }
        guard !response.isHead, !response.status.forbidsContent, response.stream == nil else { return }
        if response.body.count <= OutputQueue.copiedBodyBytesMax {
            append(response.body.pointer, response.body.count, pool: pool)
        } else {
            append(sharing: response.body, response.body.pointer, response.body.count)
        }
    }

    mutating func append(_ text: StaticString, _ pool: OutputPool) {
        append(UnsafeRawPointer(text.utf8Start), text.utf8CodeUnitCount, pool: pool)
    }

    private mutating func append(_ bytes: [UInt8], _ pool: OutputPool) {
        bytes.withUnsafeBytes { source in
            if let start = source.baseAddress { append(start, source.count, pool: pool) }
        }
    }

    private mutating func appendDecimal(_ value: Int, _ pool: OutputPool) {
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 20) { digits in
            var position = 20
            var rest = value
            repeat {
                position -= 1
                digits[position] = UInt8(0x30 + rest % 10)
                rest /= 10
            } while rest > 0
            if let start = digits.baseAddress { append(start + position, 20 - position, pool: pool) }
        }
    }
}
