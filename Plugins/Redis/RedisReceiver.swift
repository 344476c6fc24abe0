import Martlet
import Synchronization

/// One local subscription. It is confirmed or failed once; its end may come at any time, from any thread.
final class RedisReceiver: Sendable {
    let channel: String
    let isPattern: Bool
    private let take: @Sendable (Delivery) -> Void
    private let isCancelled = Atomic<Bool>(false)
    private let waiting: Mutex<CheckedContinuation<Void, any Error>?>

    init(
        _ channel: String, confirmation: CheckedContinuation<Void, any Error>, take: @escaping @Sendable (Delivery) -> Void
    ) {
        self.channel = channel
        isPattern = ChannelPattern.isPattern(channel)
        self.take = take
        waiting = Mutex(confirmation)
    }

    func receive(_ delivery: Delivery) {
        if !isCancelled.load(ordering: .acquiring) { take(delivery) }
    }

    /// Nothing is received from now on.
    func cancel() {
        isCancelled.store(true, ordering: .releasing)
    }

    func confirm() {
        settle { $0.resume() }
    }

    /// Returns whether it was still waiting to be confirmed.
    @discardableResult
    func fail(_ error: ModuleError) -> Bool {
        settle { $0.resume(throwing: error) }
    }

    @discardableResult
    private func settle(_ resume: (CheckedContinuation<Void, any Error>) -> Void) -> Bool {
        let continuation = waiting.withLock { waiting in
            defer { waiting = nil }
            return waiting
        }
        if let continuation { resume(continuation) }
        return continuation != nil
    }
}
