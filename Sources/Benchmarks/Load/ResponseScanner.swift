import CLinux

/// Finds the end of one HTTP response with a Content-Length. No more than a load generator needs.
enum ResponseScanner {
    /// A whole response at the start of a buffer.
    struct Response {
        let status: Int
        /// Head and body.
        let byteCount: Int
    }

    private static let headEnd: StaticString = "\r\n\r\n"
    private static let lengths: [StaticString] = ["ontent-Length: ", "ontent-length: "]

    /// Nil while bytes are missing.
    static func scan(_ bytes: UnsafeRawBufferPointer) throws(BenchmarkError) -> Response? {
        guard let base = bytes.baseAddress, let end = memmem(base, bytes.count, headEnd.utf8Start, 4) else { return nil }
        let headCount = UnsafeRawPointer(end) - base + 4
        guard headCount > 15 else { throw BenchmarkError("the server's answer is no HTTP response") }
        let status = number(bytes, from: 9)
        var bodyCount = 0
        if let field = bodyLength(base, headCount) {
            bodyCount = number(bytes, from: field)
        } else if status != 204 {
            let head = String(decoding: bytes[..<headCount], as: UTF8.self)
            throw BenchmarkError("the server's answer has no Content-Length: \(head)")
        }
        guard bytes.count >= headCount + bodyCount else { return nil }
        return Response(status: status, byteCount: headCount + bodyCount)
    }

    /// Where the length's digits begin.
    private static func bodyLength(_ base: UnsafeRawPointer, _ headCount: Int) -> Int? {
        for length in lengths {
            guard let field = memmem(base, headCount, length.utf8Start, length.utf8CodeUnitCount) else { continue }
            return UnsafeRawPointer(field) - base + length.utf8CodeUnitCount
        }
        return nil
    }

    /// The decimal number at a place; 0 if there is none.
    static func number(_ bytes: UnsafeRawBufferPointer, from start: Int) -> Int {
        var value = 0
        var place = start
        while place < bytes.count, bytes[place] >= 0x30, bytes[place] <= 0x39, value < 1 << 52 {
            value = value * 10 + Int(bytes[place] - 0x30)
            place += 1
        }
        return value
    }
}
