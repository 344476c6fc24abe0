import Martlet
import Synchronization

/// The dialogue of a sink and of a transform: batches out, results back.
///
/// One batch is under way at a time, or ``pipelineDepth`` if the process says that it can. While no process runs a batch fails
/// at once, transiently: its group tries again.
final class ExecRequests<Answer: Sendable>: ExecDialogue {
    private typealias Request = ExecRequest<Answer>
    /// Reads the results of a batch of so many records.
    typealias Decoder = @Sendable (_ results: Bytes, _ count: Int) throws(ModuleError) -> [Answer]

    private enum Phase {
        case down(ModuleError)
        case up(ExecGreeting)
        case stopped
    }

    private struct State {
        var phase = Phase.down(ExecFailure.closed)
        var waiting = FIFOQueue<Request>()
        var inFlight: [Int64: Request] = [:]
        var lastID: Int64 = 0
        /// When the process last answered, or got something to do after it had nothing.
        var progress = ContinuousClock.now

        mutating func takeWaiting() -> [Request] {
            var requests: [Request] = []
            while waiting.count > 0 { requests.append(waiting.removeFirst()) }
            return requests
        }
    }

    /// Batches that a process with the capability `pipeline` gets before it answers the first.
    static var pipelineDepth: Int { 16 }
    private static var waitingLimit: Int { 1000 }

    let kind: String
    private let timeout: Duration
    private let decode: Decoder
    private let state = Mutex(State())

    init(kind: String, timeout: Duration, decode: @escaping Decoder) {
        self.kind = kind
        self.timeout = timeout
        self.decode = decode
    }

    /// Sends records and waits for an answer to each.
    ///
    /// - Parameter records: a JSON array.
    func send(_ records: [UInt8], count: Int, through process: ExecProcess) async throws -> [Answer] {
        let request = Request(records: records, count: count)
        return try await request.answer {
            let refusal = state.withLock { state -> ModuleError? in
                switch state.phase {
                case .down(let error): return error
                case .stopped: return ExecFailure.closed
                case .up:
                    guard state.waiting.count < Self.waitingLimit else { return ExecFailure.busy }
                    state.waiting.append(request)
                    return nil
                }
            }
            if let refusal { request.settle(.failure(refusal)) } else { process.wake() }
        }
    }

    // MARK: ExecDialogue

    func wantsMessages(at now: ContinuousClock.Instant) -> Bool { true }

    var isBusy: Bool {
        state.withLock { $0.inFlight.values.contains { !$0.isSettled } }
    }

    var deadline: ContinuousClock.Instant? {
        state.withLock { $0.inFlight.isEmpty ? nil : $0.progress + timeout }
    }

    func start(_ greeting: ExecGreeting) {
        state.withLock { $0.phase = .up(greeting) }
    }

    func takeOutgoing(at now: ContinuousClock.Instant) -> [[UInt8]] {
        state.withLock { state in
            guard case .up(let greeting) = state.phase else { return [] }
            let depth = greeting.canPipeline ? Self.pipelineDepth : 1
            var lines: [[UInt8]] = []
            while state.inFlight.count < depth, state.waiting.count > 0 {
                let request = state.waiting.removeFirst()
                if request.isSettled { continue }
                if state.inFlight.isEmpty { state.progress = now }
                state.lastID += 1
                state.inFlight[state.lastID] = request
                lines.append(Array("{\"type\":\"batch\",\"id\":\(state.lastID),\"records\":".utf8) + request.records + [UInt8(ascii: "}")])
            }
            return lines
        }
    }

    func receive(_ message: ExecMessage) throws(ModuleError) {
        guard message.type == "results" else {
            throw ExecFailure.badOutput("wrote a message of type \(JSONText.quoted(message.type)) where \"results\" was expected")
        }
        let request = state.withLock { state -> Request? in
            guard let number = message.number, let request = state.inFlight[number] else { return nil }
            state.inFlight[number] = nil
            state.progress = .now
            return request
        }
        guard let request else {
            throw ExecFailure.badOutput("answered a batch that it has not got: \"id\": \(message.id?.string ?? "missing")")
        }
        do throws(ModuleError) {
            guard let results = message.results else { throw ExecFailure.badOutput("answered a batch without \"results\"") }
            request.settle(.success(try decode(results, request.count)))
        } catch {
            request.settle(.failure(error))
            throw error
        }
    }

    func stop() {
        let waiting = state.withLock { state -> [Request] in
            state.phase = .stopped
            return state.takeWaiting()
        }
        for request in waiting { request.settle(.failure(ExecFailure.closed)) }
    }

    func end(_ error: ModuleError) {
        let lost = state.withLock { state -> [Request] in
            if case .stopped = state.phase {} else { state.phase = .down(error) }
            let lost = state.inFlight.values + state.takeWaiting()
            state.inFlight = [:]
            return lost
        }
        for request in lost { request.settle(.failure(error)) }
    }
}
