import Martlet
import Synchronization

/// The threads of one log: one serves what librdkafka has to tell (delivery reports, errors, answers to commits), some run
/// calls that block until a broker answers.
final class KafkaThreads: Sendable {
    private static let callers = 4
    /// Calls that may wait for a thread.
    private static let waitingLimit = 1_000

    private let events = BlockingThreads(limit: KafkaThreads.waitingLimit) { _ in }
    private let calls = BlockingThreads(limit: KafkaThreads.waitingLimit) { _ in }
    private let hasBegunToClose = Atomic<Bool>(false)
    private let clients = Mutex(0)
    private let clientEnded = KafkaSignal()

    /// - Throws: transient, `host.no_thread`.
    init() throws(ModuleError) {
        try events.start(count: 1)
        try calls.start(count: Self.callers)
    }

    /// Has the events thread serve a client. Whatever comes of a client comes one after the other.
    func serve(_ body: @escaping @Sendable () -> Void) {
        _ = events.submit { _ in body() }
    }

    /// Runs a call that blocks. A task that is cancelled does not wait for its end: brokers may take as long as the request
    /// timeout to say nothing.
    ///
    /// - Parameter whenAbandoned: called once if the task was cancelled, with what the call comes to, if it is made at all.
    /// - Throws: what `body` throws; transient, `log.overloaded`, if too many wait, and `log.not_open` after ``stop()``;
    ///   `CancellationError`.
    func run<Value: Sendable>(
        whenAbandoned: @escaping @Sendable (Result<Value, any Error>) -> Void = { _ in }, _ body: @escaping @Sendable () throws -> Value
    ) async throws -> Value {
        let call = KafkaCall<Value>()
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                call.begin(continuation)
                let isTaken = calls.submit { _ in
                    let result = call.isAwaited ? Result { try body() } : .failure(CancellationError())
                    if !call.end(result) { whenAbandoned(result) }
                }
                guard !isTaken else { return }
                let refusal = calls.waiting < Self.waitingLimit
                    ? KafkaFailure.closed
                    : ModuleError.transient(
                        "log.overloaded", "\(Self.waitingLimit) requests wait for the brokers already; try again later")
                if !call.end(.failure(refusal)) { whenAbandoned(.failure(refusal)) }
            }
        } onCancel: {
            _ = call.end(.failure(CancellationError()))
        }
    }

    /// Runs a call that blocks, of which nobody waits for the end.
    func begin(_ body: @escaping @Sendable () -> Void) {
        _ = calls.submit { _ in body() }
    }

    // MARK: The clients' own threads

    func clientBegan() { clients.withLock { $0 += 1 } }

    func clientHasEnded() {
        clients.withLock { $0 -= 1 }
        clientEnded.signal()
    }

    /// Waits until the clients that nobody holds any more are gone: a process that ends while their threads run may crash.
    func waitForClients(until deadline: ContinuousClock.Instant) async {
        while clients.withLock({ $0 > 0 }), ContinuousClock.now < deadline, !Task.isCancelled { await clientEnded.wait(until: deadline) }
    }

    /// Whether the log closes: a call that tries again and again gives up.
    var isClosing: Bool { hasBegunToClose.load(ordering: .relaxed) }

    func beginToClose() { hasBegunToClose.store(true, ordering: .relaxed) }

    /// Runs what was asked and ends the threads.
    func stop() async {
        await calls.stop()
        await events.stop()
    }
}
