public import Martlet
import Synchronization

/// The outside as a test wants it: requests of modules are kept, and answered by the test.
public final class RecordingHTTP: OutgoingHTTP {
    /// What a request is answered with.
    public typealias Answer = @Sendable (OutgoingRequest) -> Result<OutgoingResponse, ModuleError>

    private let state = Mutex<[OutgoingRequest]>([])
    private let answer: Answer

    /// - Parameter answer: called for each request on the thread that sent it; by default 200 without a body.
    public init(answer: @escaping Answer = { _ in .success(OutgoingResponse(status: 200, headers: [], body: .empty)) }) {
        self.answer = answer
    }

    /// The requests so far, in their order.
    public var requests: [OutgoingRequest] { state.withLock { $0 } }

    /// A client whose requests are kept here.
    public func client(_ settings: OutgoingHTTPSettings) throws(ModuleError) -> any OutgoingHTTPClient {
        RecordingClient { [self] request in
            state.withLock { $0.append(request) }
            return answer(request)
        }
    }
}

/// Answers at once, until it is closed.
private final class RecordingClient: OutgoingHTTPClient {
    private struct Ended: OutgoingTransfer {
        func cancel() {}
    }

    private let isClosed = Mutex(false)
    private let answer: RecordingHTTP.Answer

    init(answer: @escaping RecordingHTTP.Answer) {
        self.answer = answer
    }

    func send(
        _ request: OutgoingRequest, completion: @escaping @Sendable (Result<OutgoingResponse, ModuleError>) -> Void
    ) -> any OutgoingTransfer {
        if isClosed.withLock({ $0 }) {
            completion(.failure(.transient("http.client_closed", "the client of \(request.url) is closed")))
        } else {
            completion(answer(request))
        }
        return Ended()
    }

    func close() async {
        isClosed.withLock { $0 = true }
    }
}
