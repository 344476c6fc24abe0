/// One HTTP request of an ``OutgoingHTTPClient``.
public struct OutgoingRequest: Sendable {
    /// What becomes of an answer whose body is longer than ``bodyLimit``.
    public enum LongBody: Sendable {
        /// The request ends with `http.answer_too_large`.
        case refuse
        /// The answer has the bytes up to the limit; the rest is not read, and the connection is closed.
        case truncate
    }

    /// Upper case.
    public var method: String
    /// Absolute, `http:` or `https:`.
    public var url: String
    /// Beside `Host` and `Content-Length`. Values are never written to a log.
    public var headers: [(name: String, value: String)]
    /// Nil for none; POST and PUT then send an empty one.
    public var body: Bytes?
    /// From the call to the last byte of the answer, waiting for a connection included.
    public var timeout: Duration
    /// The longest body of an answer that is taken, in bytes.
    public var bodyLimit: Int
    /// What becomes of a longer one.
    public var longBody: LongBody

    public init(
        _ method: String, _ url: String, headers: [(name: String, value: String)] = [], body: Bytes? = nil,
        timeout: Duration = .seconds(30), bodyLimit: Int = 16 << 20, longBody: LongBody = .refuse
    ) {
        self.method = method
        self.url = url
        self.headers = headers
        self.body = body
        self.timeout = timeout
        self.bodyLimit = bodyLimit
        self.longBody = longBody
    }
}
