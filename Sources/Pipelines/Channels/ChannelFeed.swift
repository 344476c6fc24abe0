import Martlet
import Synchronization

/// Carries a subscription's messages to a channel in order: one `deliver` at a time, what arrives meanwhile in the
/// next. A channel that can take them at once gets them on the thread that brings them, while nothing waits. A feed that
/// falls behind by ``limit`` messages, or ``byteLimit`` bytes of them, drops them and says so, since the log has them.
final class ChannelFeed: Sendable {
    static let limit = 10_000
    static let byteLimit = 64 << 20

    private struct State {
        var waiting: [Message] = []
        var fill = QueueFill(countLimit: limit, byteLimit: byteLimit)
        var hasGap = false
        var isRunning = false
    }

    private let channel: any DeliveryChannel
    private let immediate: (any ImmediateDelivery)?
    private let logger: Logger
    private let state = Mutex(State())

    init(channel: any DeliveryChannel, logger: Logger) {
        self.channel = channel
        immediate = channel as? any ImmediateDelivery
        self.logger = logger
    }

    func receive(_ delivery: Delivery) {
        if case .messages(let messages) = delivery, let immediate, deliverNow(messages, immediate) { return }
        let mustRun = state.withLock { state in
            switch delivery {
            case .messages(let messages) where state.fill.add(count: messages.count, bytes: Self.byteCount(messages)):
                state.waiting.append(contentsOf: messages)
            case .messages, .gap:
                state.waiting = []
                state.fill.empty()
                state.hasGap = true
            }
            defer { state.isRunning = true }
            return !state.isRunning
        }
        if mustRun { Task { await run() } }
    }

    private static func byteCount(_ messages: [Message]) -> Int {
        messages.reduce(0) { $0 + $1.record.event.byteCount }
    }

    /// False if others go first.
    private func deliverNow(_ messages: [Message], _ channel: any ImmediateDelivery) -> Bool {
        let isFirst = state.withLock { state in
            if state.isRunning { return false }
            state.isRunning = true
            return true
        }
        guard isFirst else { return false }
        let isTaken = channel.deliverNow(messages)
        let mustRun = state.withLock { state in
            if !isTaken { state.waiting.insert(contentsOf: messages, at: 0) }
            state.isRunning = !state.waiting.isEmpty || state.hasGap
            return state.isRunning
        }
        if mustRun { Task { await run() } }
        return true
    }

    private func run() async {
        while true {
            let (messages, hasGap, isDone) = state.withLock { state in
                defer {
                    state.waiting = []
                    state.fill.empty()
                    state.hasGap = false
                }
                let isDone = state.waiting.isEmpty && !state.hasGap
                if isDone { state.isRunning = false }
                return (state.waiting, state.hasGap, isDone)
            }
            if isDone { return }
            if hasGap { channel.mayHaveMissedMessages() }
            guard !messages.isEmpty else { continue }
            do {
                _ = try await channel.deliver(messages)
            } catch {
                logger.warning("channel did not take \(messages.count) messages: \(error); it rereads them from the log")
                channel.mayHaveMissedMessages()
            }
        }
    }
}
