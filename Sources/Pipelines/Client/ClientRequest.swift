package import Martlet

/// One HTTP request of an ``HTTPClient``.
package struct ClientRequest: Sendable {
    package var method: String
    /// Absolute, `http:` or `https:`.
    package var url: String
    /// Beside `Host` and `Content-Length`. Values are never written to a log.
    package var headers: [(name: String, value: String)]
    package var body: Bytes?
    /// From the call to the last byte of the answer, waiting for a connection included.
    package var timeout: Duration
    /// The longest answer that is taken; a longer one is an error.
    package var bodyLimit: Int

    package init(
        _ method: String, _ url: String, headers: [(name: String, value: String)] = [], body: Bytes? = nil,
        timeout: Duration = .seconds(30), bodyLimit: Int = 16 << 20
    ) {
        self.method = method
        self.url = url
        self.headers = headers
        self.body = body
        self.timeout = timeout
        self.bodyLimit = bodyLimit
    }
}
