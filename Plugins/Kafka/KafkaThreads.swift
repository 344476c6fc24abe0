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

    /// Runs a call that blocks.
    ///
    /// - Throws: what `body` throws; transient, `log.overloaded`, if too many wait, and `log.not_open` after ``stop()``.
    func run<Value: Sendable>(_ body: @escaping @Sendable () throws -> Value) async throws -> Value {
        try await withCheckedThrowingContinuation { continuation in
            let isTaken = calls.submit { _ in continuation.resume(with: Result { try body() }) }
            guard !isTaken else { return }
            continuation.resume(
                throwing: calls.waiting < Self.waitingLimit
                    ? KafkaFailure.closed
                    : ModuleError.transient(
                        "log.overloaded", "\(Self.waitingLimit) requests wait for the brokers already; try again later"))
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

    /// Runs what was asked and ends the threads.
    func stop() async {
        await calls.stop()
        await events.stop()
    }
}
