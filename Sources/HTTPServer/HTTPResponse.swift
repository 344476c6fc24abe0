/// An answer on its way to the connection.
struct HTTPResponse {
    var status: HTTPStatus
    var headers: HTTPHeaders
    var body: SharedBytes
    /// Set when the answer is a stream instead of a body.
    var stream: HTTPStream?
    /// Whether the request was HEAD: the head is sent as for GET, without the body.
    var isHead: Bool
    var minorVersion: UInt8
    var wantsKeepAlive: Bool

    init(
        to request: HTTPRequest, _ status: HTTPStatus, _ headers: HTTPHeaders, _ body: SharedBytes, stream: HTTPStream? = nil
    ) {
        self.status = status
        self.headers = headers
        self.body = body
        self.stream = stream
        isHead = request.method == .head
        minorVersion = request.minorVersion
        wantsKeepAlive = request.wantsKeepAlive && stream == nil
    }

    /// The answer to bytes that are no request.
    init(_ error: RequestError) {
        status = error.status
        headers = .problem
        body = ProblemDetails(error.status, error.detail).json
        isHead = false
        minorVersion = 1
        wantsKeepAlive = false
    }
}
