import Martlet
import Pipelines
import Synchronization

/// A stream that a test has opened, and the events that have come on it.
final class ConfigTestStream: Sendable {
    private struct State {
        var status = 0
        var headers: [(name: String, value: String)] = []
        var isEventStream = false
        /// Of an answer that is no stream.
        var body: [UInt8] = []
        var reader = EventStreamReader()
        var events: [JSONNode] = []
        var waiting: CheckedContinuation<ClientResponse, any Error>?
        var transfer: (any OutgoingTransfer)?
    }

    /// Of an answer that is no stream; the rest is dropped.
    private static let bodyLimit = 65_536

    private let state = Mutex(State())

    /// The events so far, in their order.
    var events: [JSONNode] { state.withLock { $0.events } }

    /// Sends the request. Returns once the stream has begun, or with the whole answer that is none.
    func open(_ request: ClientRequest, by client: HTTPClient) async throws -> ClientResponse {
        try await withCheckedThrowingContinuation { continuation in
            state.withLock { $0.waiting = continuation }
            let transfer = client.stream(request) { [self] part in
                take(part)
            } completion: { [self] result in
                end(result)
            }
            state.withLock { $0.transfer = transfer }
        }
    }

    /// Ends the stream.
    func close() {
        state.withLock { $0.transfer }?.cancel()
    }

    private func take(_ part: ClientStreamPart) {
        let begun = state.withLock { state -> CheckedContinuation<ClientResponse, any Error>? in
            switch part {
            case .head(let status, let headers):
                state.status = status
                state.headers = headers
                state.isEventStream = ClientResponse(status: status, headers: headers, body: .empty).isEventStream
                guard state.isEventStream else { return nil }
                defer { state.waiting = nil }
                return state.waiting
            case .body(let bytes):
                if state.isEventStream {
                    state.events += state.reader.take(bytes)
                } else if state.body.count < Self.bodyLimit {
                    bytes.withUnsafeBytes { state.body.append(contentsOf: $0) }
                }
                return nil
            }
        }
        begun?.resume(returning: response)
    }

    private func end(_ result: Result<ClientResponse, ModuleError>) {
        let waiting = state.withLock { state in
            defer { state.waiting = nil }
            return state.waiting
        }
        waiting?.resume(with: result.map { _ in response })
    }

    private var response: ClientResponse {
        state.withLock { ClientResponse(status: $0.status, headers: $0.headers, body: Bytes($0.body)) }
    }
}

extension ClientResponse {
    /// Whether it is, or begins, an event stream.
    var isEventStream: Bool { status == 200 && header("content-type")?.hasPrefix("text/event-stream") == true }
}
