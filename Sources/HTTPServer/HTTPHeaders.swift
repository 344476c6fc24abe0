/// Response header fields, checked and already in wire form. Those that never change belong into a `static let`: a
/// response then copies one block of bytes.
///
/// Date, Content-Length, Transfer-Encoding and Connection are the server's own and refused here.
package struct HTTPHeaders: Sendable, ExpressibleByDictionaryLiteral {
    /// `Name: value` and CRLF for each field.
    let bytes: [UInt8]

    /// No fields.
    package static let none = HTTPHeaders(bytes: [])
    /// `Content-Type: application/json`
    package static let json: HTTPHeaders = ["Content-Type": "application/json"]
    /// `Content-Type: text/plain; charset=utf-8`
    package static let text: HTTPHeaders = ["Content-Type": "text/plain; charset=utf-8"]
    /// `Content-Type: application/problem+json`
    package static let problem: HTTPHeaders = ["Content-Type": "application/problem+json"]

    private init(bytes: [UInt8]) {
        self.bytes = bytes
    }

    /// Fields written in the program. Stops the program if one is not valid.
    package init(dictionaryLiteral elements: (String, String)...) {
        do {
            self = try HTTPHeaders(elements.map { (name: $0.0, value: $0.1) })
        } catch {
            preconditionFailure(error.description)
        }
    }

    /// Fields whose names or values come from outside. Throws `HTTPHeaderError` if one would break the response.
    package init(_ fields: [(name: String, value: String)]) throws(HTTPHeaderError) {
        var headers = HTTPHeaders.none
        for (name, value) in fields { headers = try headers.adding(name, value) }
        self = headers
    }

    /// These fields and one more. Throws `HTTPHeaderError` if it would break the response.
    package func adding(_ name: String, _ value: String) throws(HTTPHeaderError) -> HTTPHeaders {
        var nameText = name
        let isName = nameText.withUTF8 { utf8 in !utf8.isEmpty && utf8.allSatisfy { ByteSet.token.contains($0) } }
        guard isName else { throw HTTPHeaderError(name: name, problem: .malformedName) }
        guard !HTTPHeaders.reserved.contains(name.lowercased()) else { throw HTTPHeaderError(name: name, problem: .reserved) }
        var valueText = value
        let isValue = valueText.withUTF8 { utf8 in
            guard let start = utf8.baseAddress else { return true }
            return isFieldValue(start, utf8.count)
        }
        guard isValue else { throw HTTPHeaderError(name: name, problem: .controlCharacter) }
        return HTTPHeaders(bytes: bytes + Array("\(name): \(value)\r\n".utf8))
    }

    /// These fields followed by others.
    package func appending(_ other: HTTPHeaders) -> HTTPHeaders {
        HTTPHeaders(bytes: bytes + other.bytes)
    }

    private static let reserved: Set<String> = ["date", "content-length", "transfer-encoding", "connection"]
}
