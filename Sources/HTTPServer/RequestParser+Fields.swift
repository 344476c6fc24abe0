/// Header and trailer fields (RFC 9112 section 5) and the rules on those that frame a request (sections 3.2 and 6).
extension RequestParser {
    mutating func parseFieldLine(
        _ start: UnsafePointer<UInt8>, _ lineStart: Int, _ lineEnd: Int
    ) throws(RequestError) {
        let field = try fieldRange(start, lineStart, lineEnd)
        guard fields.count < limits.headerCountMax else {
            throw RequestError(.headerFieldsTooLarge, "more than \(limits.headerCountMax) header fields")
        }
        fields.append(field)
        let name = start + field.name.start
        let nameCount = field.name.count
        switch nameCount {
        case 4 where equalsIgnoringCase(name, nameCount, "host"):
            guard draft.host == nil else { throw .badRequest("more than one Host field; expected one") }
            try checkHostValue(buffer(start, field.value))
            draft.host = field.value
        case 6 where equalsIgnoringCase(name, nameCount, "expect"):
            guard equalsIgnoringCase(start + field.value.start, field.value.count, "100-continue") else {
                throw RequestError(.expectationFailed, "the only expectation this server meets is 100-continue")
            }
            draft.expectsContinue = true
        case 10 where equalsIgnoringCase(name, nameCount, "connection"):
            parseConnection(buffer(start, field.value))
        case 14 where equalsIgnoringCase(name, nameCount, "content-length"):
            guard draft.contentLength == nil else { throw .badRequest("more than one Content-Length field; expected one") }
            draft.contentLength = try contentLength(buffer(start, field.value))
        case 17 where equalsIgnoringCase(name, nameCount, "transfer-encoding"):
            guard draft.transferEncoding == nil else {
                throw .badRequest("more than one Transfer-Encoding field; expected one")
            }
            draft.transferEncoding = field.value
        default: break
        }
    }

    /// Splits and checks one field line, without its CRLF.
    func fieldRange(
        _ start: UnsafePointer<UInt8>, _ lineStart: Int, _ lineEnd: Int
    ) throws(RequestError) -> FieldRange {
        var position = lineStart
        while position < lineEnd, ByteSet.token.contains(start[position]) { position &+= 1 }
        let nameEnd = position
        guard nameEnd > lineStart, nameEnd < lineEnd, start[nameEnd] == UInt8(ascii: ":") else {
            throw malformedFieldName(start, lineStart, nameEnd, lineEnd)
        }
        position += 1
        while position < lineEnd, isBlank(start[position]) { position &+= 1 }
        var valueEnd = lineEnd
        while valueEnd > position, isBlank(start[valueEnd &- 1]) { valueEnd &-= 1 }
        guard isFieldValue(start + position, valueEnd - position) else {
            throw .badRequest("a header field's value holds a control character; expected visible characters, spaces and tabs")
        }
        return FieldRange(name: FieldRange.Part(lineStart, nameEnd), value: FieldRange.Part(position, valueEnd))
    }

    private func malformedFieldName(
        _ start: UnsafePointer<UInt8>, _ lineStart: Int, _ nameEnd: Int, _ lineEnd: Int
    ) -> RequestError {
        if isBlank(start[lineStart]) {
            return .badRequest("a header line starts with white space; folded lines are not accepted")
        }
        if nameEnd < lineEnd, isBlank(start[nameEnd]) {
            return .badRequest("white space between a header field's name and its colon")
        }
        return .badRequest("malformed header field; expected \"Name: value\"")
    }

    /// What can be said only when all fields are known.
    mutating func checkHead(_ start: UnsafePointer<UInt8>) throws(RequestError) {
        if draft.host == nil && draft.minorVersion == 1 { throw .badRequest("no Host field; HTTP/1.1 expects one") }
        if let authority = draft.authority, let host = draft.host {
            guard buffer(start, authority).elementsEqual(buffer(start, host)) else {
                throw .badRequest("the target names another host than the Host field")
            }
        }
        // RFC 9110 section 10.1.1: HTTP/1.0 knows no 100 Continue.
        if draft.minorVersion == 0 { draft.expectsContinue = false }
        if let coding = draft.transferEncoding {
            guard draft.contentLength == nil else {
                throw .badRequest("both Content-Length and Transfer-Encoding; expected one of them")
            }
            guard draft.minorVersion == 1 else { throw .badRequest("Transfer-Encoding in an HTTP/1.0 request") }
            try checkTransferEncoding(buffer(start, coding))
        }
        if let contentLength = draft.contentLength, contentLength > limits.bodyBytesMax {
            throw RequestError(.contentTooLarge, "a body of \(contentLength) bytes; at most \(limits.bodyBytesMax) are accepted")
        }
    }

    private func contentLength(_ value: UnsafeBufferPointer<UInt8>) throws(RequestError) -> Int {
        guard !value.isEmpty else { throw .badRequest("Content-Length is empty; expected a number") }
        var length = 0
        var isHuge = false
        for byte in value {
            guard byte &- 0x30 < 10 else { throw .badRequest("malformed Content-Length; expected decimal digits only") }
            if length > Int.max / 16 { isHuge = true } else { length = length * 10 + Int(byte &- 0x30) }
        }
        return isHuge ? Int.max : length
    }

    /// RFC 9112 section 6.1: the last coding must be chunked (else 400: the end is unknown); others are not implemented (501).
    private func checkTransferEncoding(_ value: UnsafeBufferPointer<UInt8>) throws(RequestError) {
        if let start = value.baseAddress, equalsIgnoringCase(start, value.count, "chunked") { return }
        let codings = value.split(separator: UInt8(ascii: ","), omittingEmptySubsequences: false).map { piece in
            String(decoding: piece.drop(while: isBlank), as: UTF8.self).lowercased()
        }
        guard codings.last == "chunked", codings.filter({ $0.hasPrefix("chunked") }).count == 1 else {
            throw .badRequest("Transfer-Encoding does not end with chunked, or names it twice; expected \"chunked\"")
        }
        throw RequestError(.notImplemented, "the only transfer coding this server implements is chunked")
    }

    private mutating func parseConnection(_ value: UnsafeBufferPointer<UInt8>) {
        guard let start = value.baseAddress else { return }
        var position = 0
        while position < value.count {
            while position < value.count, isBlank(value[position]) || value[position] == UInt8(ascii: ",") { position += 1 }
            let optionStart = position
            while position < value.count, value[position] != UInt8(ascii: ",") { position += 1 }
            var optionEnd = position
            while optionEnd > optionStart, isBlank(value[optionEnd - 1]) { optionEnd -= 1 }
            if equalsIgnoringCase(start + optionStart, optionEnd - optionStart, "close") { draft.hasClose = true }
            if equalsIgnoringCase(start + optionStart, optionEnd - optionStart, "keep-alive") { draft.hasKeepAlive = true }
        }
    }

    /// RFC 9112 section 3.2 and RFC 3986 section 3.2: a name or address, and optionally a port.
    func checkHostValue(_ value: UnsafeBufferPointer<UInt8>) throws(RequestError) {
        let malformed = RequestError.badRequest("malformed Host; expected a name or address, and optionally a port")
        var position = 0
        if value.first == UInt8(ascii: "[") {
            position = 1
            while position < value.count, isAddressByte(value[position]) { position += 1 }
            guard position > 1, position < value.count, value[position] == UInt8(ascii: "]") else { throw malformed }
            position += 1
        } else {
            while position < value.count {
                let byte = value[position]
                if byte == UInt8(ascii: "%") {
                    guard position + 2 < value.count, hexValue(value[position + 1]) != nil, hexValue(value[position + 2]) != nil
                    else { throw malformed }
                } else if !ByteSet.host.contains(byte) {
                    break
                }
                position += 1
            }
            guard position > 0 else { throw malformed }
        }
        guard position < value.count else { return }
        guard value[position] == UInt8(ascii: ":"), value.count - position <= 6 else { throw malformed }
        for byte in value[(position + 1)...] where byte &- 0x30 >= 10 { throw malformed }
    }

    private func isAddressByte(_ byte: UInt8) -> Bool {
        hexValue(byte) != nil || byte == UInt8(ascii: ":") || byte == UInt8(ascii: ".")
    }
}

/// Space or tab.
@inline(__always)
func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 }

/// Whether all bytes may stand in a field's value: tab, space, visible characters and bytes from 0x80 (RFC 9110 section 5.5).
@inline(__always)
func isFieldValue(_ start: UnsafePointer<UInt8>, _ count: Int) -> Bool {
    let ones: UInt64 = 0x0101_0101_0101_0101
    let tops: UInt64 = 0x8080_8080_8080_8080
    var position = 0
    // Eight bytes at a time: a set top bit means that some byte may be below 0x20 or is 0x7F, and is looked at singly.
    while position &+ 8 <= count {
        let word = UnsafeRawPointer(start + position).loadUnaligned(as: UInt64.self)
        let isLow = (word &- ones &* 0x20) & ~word & tops
        let delete = word ^ (ones &* 0x7F)
        let isDelete = (delete &- ones) & ~delete & tops
        if isLow | isDelete != 0 {
            for offset in 0..<8 where !isFieldByte(start[position &+ offset]) { return false }
        }
        position &+= 8
    }
    while position < count {
        if !isFieldByte(start[position]) { return false }
        position &+= 1
    }
    return true
}

@inline(__always)
private func isFieldByte(_ byte: UInt8) -> Bool {
    (byte >= 0x20 && byte != 0x7F) || byte == 0x09
}
