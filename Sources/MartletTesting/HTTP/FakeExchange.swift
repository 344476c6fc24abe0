public import Martlet
import Synchronization

/// A request that a test makes up, and what the module answered. May be used from any thread.
public final class FakeExchange: HTTPExchange {
    private struct State {
        var response: HTTPResponse?
        var stream: FakeStream?
        var waiters: [CheckedContinuation<HTTPResponse, Never>] = []
    }

    public let method: String
    public let target: String
    public let body: Bytes
    public let remoteAddress: String
    public let loopIndex: Int
    public let caller: Caller?
    private let path: [String: String]
    private let query: [String: String]
    public let headers: [(name: String, value: String)]
    private let state = Mutex(State())

    /// - Parameters:
    ///   - path: the decoded values of `{name}` segments.
    ///   - query: decoded.
    public init(
        _ method: String = "GET", target: String = "/", path: [String: String] = [:], query: [String: String] = [:],
        headers: [(name: String, value: String)] = [], body: Bytes = .empty, remoteAddress: String = "127.0.0.1",
        loopIndex: Int = 0, caller: Caller? = nil
    ) {
        self.method = method
        self.target = target
        self.path = path
        self.query = query
        self.headers = headers
        self.body = body
        self.remoteAddress = remoteAddress
        self.loopIndex = loopIndex
        self.caller = caller
    }

    public func pathParameter(_ name: String) -> String? { path[name] }
    public func queryParameter(_ name: String) -> String? { query[name] }

    public func header(_ name: String) -> String? {
        headers.first { $0.name.lowercased() == name.lowercased() }?.value
    }

    /// A second answer is a programmer's mistake.
    public func respond(_ response: HTTPResponse) {
        let waiters = state.withLock { state in
            precondition(state.response == nil && state.stream == nil, "the exchange was answered twice")
            state.response = response
            defer { state.waiters = [] }
            return state.waiters
        }
        for waiter in waiters { waiter.resume(returning: response) }
    }

    public func startStream(
        status: Int, headers: [(name: String, value: String)], queueLimit: Int, onClose: @escaping @Sendable () -> Void
    ) -> any HTTPStream {
        let stream = FakeStream(status: status, headers: headers, queueLimit: queueLimit, onClose: onClose)
        state.withLock { state in
            precondition(state.response == nil && state.stream == nil, "the exchange was answered twice")
            state.stream = stream
        }
        return stream
    }

    /// The answer so far; nil before it, and if the answer is a stream.
    public var answer: HTTPResponse? { state.withLock { $0.response } }

    /// The stream that was started.
    public var stream: FakeStream? { state.withLock { $0.stream } }

    /// Waits for the answer.
    public func response() async -> HTTPResponse {
        await withCheckedContinuation { continuation in
            let response = state.withLock { state in
                if state.response == nil { state.waiters.append(continuation) }
                return state.response
            }
            if let response { continuation.resume(returning: response) }
        }
    }
}
