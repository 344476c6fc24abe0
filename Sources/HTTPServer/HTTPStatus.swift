/// A response status (RFC 9110 section 15).
package struct HTTPStatus: Sendable, Hashable, CustomStringConvertible {
    /// 200 to 599.
    package let code: Int

    /// Any final status. Stops the program on a code outside 200–599.
    package init(_ code: Int) {
        precondition((200...599).contains(code), "\(code) is not a final HTTP status; expected 200 to 599")
        self.code = code
    }

    /// 200 OK
    package static let ok = HTTPStatus(200)
    /// 201 Created
    package static let created = HTTPStatus(201)
    /// 202 Accepted
    package static let accepted = HTTPStatus(202)
    /// 204 No Content
    package static let noContent = HTTPStatus(204)
    /// 304 Not Modified
    package static let notModified = HTTPStatus(304)
    /// 400 Bad Request
    package static let badRequest = HTTPStatus(400)
    /// 401 Unauthorized
    package static let unauthorized = HTTPStatus(401)
    /// 403 Forbidden
    package static let forbidden = HTTPStatus(403)
    /// 404 Not Found
    package static let notFound = HTTPStatus(404)
    /// 405 Method Not Allowed
    package static let methodNotAllowed = HTTPStatus(405)
    /// 408 Request Timeout
    package static let requestTimeout = HTTPStatus(408)
    /// 409 Conflict
    package static let conflict = HTTPStatus(409)
    /// 413 Content Too Large
    package static let contentTooLarge = HTTPStatus(413)
    /// 414 URI Too Long
    package static let uriTooLong = HTTPStatus(414)
    /// 415 Unsupported Media Type
    package static let unsupportedMediaType = HTTPStatus(415)
    /// 417 Expectation Failed
    package static let expectationFailed = HTTPStatus(417)
    /// 422 Unprocessable Content
    package static let unprocessableContent = HTTPStatus(422)
    /// 429 Too Many Requests
    package static let tooManyRequests = HTTPStatus(429)
    /// 431 Request Header Fields Too Large
    package static let headerFieldsTooLarge = HTTPStatus(431)
    /// 500 Internal Server Error
    package static let internalServerError = HTTPStatus(500)
    /// 501 Not Implemented
    package static let notImplemented = HTTPStatus(501)
    /// 503 Service Unavailable
    package static let serviceUnavailable = HTTPStatus(503)
    /// 505 HTTP Version Not Supported
    package static let versionNotSupported = HTTPStatus(505)

    /// The reason phrase; empty for a code without one here.
    package var reason: String { line.map { String("\($0)".unicodeScalars.dropFirst(13).dropLast(2)) } ?? "" }

    /// Code and reason.
    package var description: String { reason.isEmpty ? "\(code)" : "\(code) \(reason)" }

    /// Whether a response of this status never has content, nor a Content-Length (204) or one that means something else (304).
    var forbidsContent: Bool { code == 204 || code == 304 }

    /// The whole status line, for the codes in use.
    var line: StaticString? {
        switch code {
        case 200: "HTTP/1.1 200 OK\r\n"
        case 201: "HTTP/1.1 201 Created\r\n"
        case 202: "HTTP/1.1 202 Accepted\r\n"
        case 204: "HTTP/1.1 204 No Content\r\n"
        case 207: "HTTP/1.1 207 Multi-Status\r\n"
        case 301: "HTTP/1.1 301 Moved Permanently\r\n"
        case 302: "HTTP/1.1 302 Found\r\n"
        case 303: "HTTP/1.1 303 See Other\r\n"
        case 304: "HTTP/1.1 304 Not Modified\r\n"
        case 307: "HTTP/1.1 307 Temporary Redirect\r\n"
        case 308: "HTTP/1.1 308 Permanent Redirect\r\n"
        default: errorLine
        }
    }

    private var errorLine: StaticString? {
        switch code {
        case 400: "HTTP/1.1 400 Bad Request\r\n"
        case 401: "HTTP/1.1 401 Unauthorized\r\n"
        case 403: "HTTP/1.1 403 Forbidden\r\n"
        case 404: "HTTP/1.1 404 Not Found\r\n"
        case 405: "HTTP/1.1 405 Method Not Allowed\r\n"
        case 406: "HTTP/1.1 406 Not Acceptable\r\n"
        case 408: "HTTP/1.1 408 Request Timeout\r\n"
        case 409: "HTTP/1.1 409 Conflict\r\n"
        case 410: "HTTP/1.1 410 Gone\r\n"
        case 412: "HTTP/1.1 412 Precondition Failed\r\n"
        case 413: "HTTP/1.1 413 Content Too Large\r\n"
        case 414: "HTTP/1.1 414 URI Too Long\r\n"
        case 415: "HTTP/1.1 415 Unsupported Media Type\r\n"
        case 417: "HTTP/1.1 417 Expectation Failed\r\n"
        case 422: "HTTP/1.1 422 Unprocessable Content\r\n"
        case 428: "HTTP/1.1 428 Precondition Required\r\n"
        case 429: "HTTP/1.1 429 Too Many Requests\r\n"
        case 431: "HTTP/1.1 431 Request Header Fields Too Large\r\n"
        case 500: "HTTP/1.1 500 Internal Server Error\r\n"
        case 501: "HTTP/1.1 501 Not Implemented\r\n"
        case 502: "HTTP/1.1 502 Bad Gateway\r\n"
        case 503: "HTTP/1.1 503 Service Unavailable\r\n"
        case 504: "HTTP/1.1 504 Gateway Timeout\r\n"
        case 505: "HTTP/1.1 505 HTTP Version Not Supported\r\n"
        case 507: "HTTP/1.1 507 Insufficient Storage\r\n"
        default: nil
        }
    }
}
