import Martlet

/// A request with its caller, whose answer gets further headers.
final class AdmittedExchange: HTTPExchange {
    let caller: Caller?
    private let inner: any HTTPExchange
    private let added: [(name: String, value: String)]

    /// - Parameter headers: added to the answer's.
    init(_ inner: any HTTPExchange, caller: Caller?, headers: [(name: String, value: String)]) {
        self.inner = inner
        self.caller = caller
        added = headers
    }

    var method: String { inner.method }
    var target: String { inner.target }
    var body: Bytes { inner.body }
    var headers: [(name: String, value: String)] { inner.headers }
    var loopIndex: Int { inner.loopIndex }
    var remoteAddress: String { inner.remoteAddress }
    func pathParameter(_ name: String) -> String? { inner.pathParameter(name) }
    func queryParameter(_ name: String) -> String? { inner.queryParameter(name) }
    func header(_ name: String) -> String? { inner.header(name) }

    func respond(_ response: HTTPResponse) {
        if added.isEmpty { return inner.respond(response) }
        inner.respond(HTTPResponse(status: response.status, headers: response.headers + added, body: response.body))
    }

    func startStream(
        status: Int, headers: [(name: String, value: String)], queueLimit: Int, onClose: @escaping @Sendable () -> Void
    ) -> any HTTPStream {
        inner.startStream(status: status, headers: headers + added, queueLimit: queueLimit, onClose: onClose)
    }
}
