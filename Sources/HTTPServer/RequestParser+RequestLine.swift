/// The request line (RFC 9112 section 3): method, one space, target, one space, version.
extension RequestParser {
    mutating func parseRequestLine(
        _ start: UnsafePointer<UInt8>, _ lineStart: Int, _ lineEnd: Int
    ) throws(RequestError) {
        var position = lineStart
        while position < lineEnd, ByteSet.token.contains(start[position]) { position &+= 1 }
        let methodEnd = position
        guard methodEnd > lineStart, methodEnd < lineEnd, start[methodEnd] == UInt8(ascii: " ") else {
            throw .badRequest("malformed method; expected letters and one space at the start of the request line")
        }
        position += 1
        let targetStart = position
        while position < lineEnd, start[position] != UInt8(ascii: " ") { position &+= 1 }
        let targetEnd = position
        guard targetEnd > targetStart, targetEnd < lineEnd else {
            throw .badRequest("malformed request line; expected \"METHOD TARGET HTTP/1.1\" with single spaces")
        }
        let versionStart = targetEnd + 1
        try parseVersion(start + versionStart, lineEnd - versionStart)
        let method = HTTPMethod(start + lineStart, methodEnd - lineStart)
        draft.target = FieldRange.Part(targetStart, targetEnd)
        try parseTarget(start, targetStart, targetEnd, isOptions: method == .options)
        guard let method else {
            throw RequestError(.notImplemented, "this server implements GET, HEAD, POST, PUT, DELETE, PATCH and OPTIONS")
        }
        draft.method = method
    }

    private mutating func parseVersion(_ version: UnsafePointer<UInt8>, _ count: Int) throws(RequestError) {
        let prefix: StaticString = "HTTP/"
        var isVersion = count == 8 && version[6] == UInt8(ascii: ".")
            && version[5] &- 0x30 < 10 && version[7] &- 0x30 < 10
        if isVersion {
            for position in 0..<5 where version[position] != prefix.utf8Start[position] { isVersion = false }
        }
        guard isVersion else { throw .badRequest("malformed version; expected HTTP/1.1 or HTTP/1.0") }
        guard version[5] == UInt8(ascii: "1"), version[7] <= UInt8(ascii: "1") else {
            throw RequestError(.versionNotSupported, "expected HTTP/1.1 or HTTP/1.0")
        }
        draft.minorVersion = version[7] &- 0x30
    }

    /// RFC 9112 section 3.2: origin form, absolute form, and `*` for OPTIONS.
    private mutating func parseTarget(
        _ start: UnsafePointer<UInt8>, _ targetStart: Int, _ targetEnd: Int, isOptions: Bool
    ) throws(RequestError) {
        var position = targetStart
        if start[position] != UInt8(ascii: "/") {
            if isOptions, targetEnd == targetStart + 1, start[position] == UInt8(ascii: "*") {
                draft.path = FieldRange.Part(targetStart, targetEnd)
                return
            }
            position = try parseAuthority(start, targetStart, targetEnd)
        }
        let pathStart = position
        var hasEscape = false
        while position < targetEnd {
            let byte = start[position]
            if !ByteSet.path.contains(byte) {
                if byte == UInt8(ascii: "?") { break }
                guard byte == UInt8(ascii: "%") else { throw invalidTargetByte(byte) }
                hasEscape = true
            }
            position &+= 1
        }
        draft.path = FieldRange.Part(pathStart, position)
        if hasEscape { try PercentEncoding.check(buffer(start, draft.path)) }
        guard position < targetEnd else { return }
        try parseQuery(start, position + 1, targetEnd)
    }

    private mutating func parseQuery(
        _ start: UnsafePointer<UInt8>, _ queryStart: Int, _ queryEnd: Int
    ) throws(RequestError) {
        var hasEscape = false
        for position in queryStart..<queryEnd {
            let byte = start[position]
            if !ByteSet.query.contains(byte) {
                guard byte == UInt8(ascii: "%") else { throw invalidTargetByte(byte) }
                hasEscape = true
            }
        }
        let query = FieldRange.Part(queryStart, queryEnd)
        if hasEscape {
            for pair in QueryPairs(buffer(start, query)) {
                try PercentEncoding.check(pair.name)
                try PercentEncoding.check(pair.value)
            }
        }
        try QueryPairs.check(buffer(start, query), countMax: limits.queryParameterCountMax)
        draft.query = query
    }

    /// The `http://host` of a target in absolute form. Returns where its path begins.
    private mutating func parseAuthority(
        _ start: UnsafePointer<UInt8>, _ targetStart: Int, _ targetEnd: Int
    ) throws(RequestError) -> Int {
        let count = targetEnd - targetStart
        var position = targetStart
        if count > 7, equalsIgnoringCase(start + targetStart, 7, "http://") {
            position += 7
        } else if count > 8, equalsIgnoringCase(start + targetStart, 8, "https://") {
            position += 8
        } else {
            throw .badRequest("malformed target; expected an absolute path such as /likes")
        }
        let authorityStart = position
        while position < targetEnd, start[position] != UInt8(ascii: "/"), start[position] != UInt8(ascii: "?") {
            position += 1
        }
        let authority = FieldRange.Part(authorityStart, position)
        try checkHostValue(buffer(start, authority))
        guard position < targetEnd, start[position] == UInt8(ascii: "/") else {
            throw .badRequest("the target has no path; expected at least / behind the host")
        }
        draft.authority = authority
        return position
    }

    private func invalidTargetByte(_ byte: UInt8) -> RequestError {
        .badRequest("byte 0x\(String(byte, radix: 16)) is not allowed in a target; expected it percent-encoded")
    }

    func buffer(_ start: UnsafePointer<UInt8>, _ part: FieldRange.Part) -> UnsafeBufferPointer<UInt8> {
        UnsafeBufferPointer(start: start + part.start, count: part.count)
    }
}
