import Synchronization

/// One request and the way to answer it, exactly once: with `respond` from any thread, or with `startStream` on `loop`.
///
/// An exchange that is released without an answer is answered with 500, so that no client waits for ever.
///
/// `@unchecked Sendable`: `isAnswered` is atomic; `route` is set before the handler sees the exchange; the rest is constant.
package final class HTTPExchange: @unchecked Sendable {
    /// The request.
    package let request: HTTPRequest
    /// The loop of the connection. Handlers are called on it.
    package let loop: EventLoop

    /// The route that matched, if a router dispatched the request.
    var route: Route?
    private let connection: Connection
    private let sequence: UInt64
    private let isAnswered = Atomic(false)

    init(request: HTTPRequest, connection: Connection, sequence: UInt64) {
        self.request = request
        self.connection = connection
        self.sequence = sequence
        loop = connection.loop
    }

    deinit {
        guard !isAnswered.load(ordering: .relaxed) else { return }
        let detail = "the handler of this request ended without an answer"
        deliver(HTTPResponse(to: request, .internalServerError, .problem, ProblemDetails(.internalServerError, detail).json))
    }

    /// Whether the client has closed its side of the connection. An answer is still tried, since it may only have said
    /// that it sends no more; but work that nobody waits for can be given up. Callable from any thread.
    package var hasClientLeft: Bool { connection.hasClientLeft.load(ordering: .relaxed) }

    /// The address of the client, without its port, an IPv4 address as such; empty once the connection is closed. On `loop`.
    package var remoteAddress: String { connection.remoteAddress }

    /// The value of `{name}` in the route's pattern, percent-decoded; nil if the pattern has no such name.
    package func pathParameter(_ name: String) -> String? {
        guard let index = route?.parameterIndex(name) else { return nil }
        return request.pathSegment(index)
    }

    /// Sends the answer. Callable from any thread, once; answers from one other thread leave in the order given to the
    /// loop, and a batch of them costs one wake-up. Content-Length, Date and Connection are added; a HEAD request and
    /// the statuses 204 and 304 get no body. Pipelined requests are answered in their order whatever the order of the calls.
    package func respond(_ status: HTTPStatus, headers: HTTPHeaders = .none, body: SharedBytes = .empty) {
        claim()
        deliver(HTTPResponse(to: request, status, headers, body))
    }

    /// Sends problem details as the answer. As `respond`. `headers` are added to the content type.
    package func respondProblem(_ problem: ProblemDetails, headers: HTTPHeaders = .none) {
        respond(problem.status, headers: headers.appending(.problem), body: problem.json)
    }

    /// Sends the head of an answer without an end, and returns the stream to write its body to. On `loop` only. The
    /// connection is closed after the stream. A HEAD request gets the head, and a stream that closes at once.
    ///
    /// - Parameter queueBytesMax: bytes that may wait for a slow client before `write` says `.overflow`.
    package func startStream(
        _ status: HTTPStatus = .ok, headers: HTTPHeaders = .none, queueBytesMax: Int = 256 * 1024
    ) -> HTTPStream {
        loop.preconditionOnLoop()
        claim()
        let stream = HTTPStream(connection: connection, isChunked: request.minorVersion == 1, queueBytesMax: queueBytesMax)
        connection.complete(sequence, HTTPResponse(to: request, status, headers, .empty, stream: stream))
        return stream
    }

    private func claim() {
        precondition(
            !isAnswered.exchange(true, ordering: .relaxed), "an HTTP request must be answered exactly once; this is the second answer"
        )
    }

    private func deliver(_ response: HTTPResponse) {
        if loop.isCurrent {
            connection.complete(sequence, response)
        } else {
            let (connection, sequence) = (connection, sequence)
            loop.execute { connection.complete(sequence, response) }
        }
    }
}
