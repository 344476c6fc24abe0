import Martlet
import Synchronization

/// Publishes a source's events on one channel of a bus, in the order in which they come.
///
/// A bus that can hands them to its subscribers on the calling thread. Otherwise one `publish` at a time is under way, and
/// the next takes all that came meanwhile, up to ``limit`` events and ``byteLimit`` bytes; beyond it they are refused.
final class BusPublisher: Sendable {
    /// Events that wait for the bus, at most.
    static let limit = 10_000
    static let byteLimit = 64 << 20

    typealias Completion = @Sendable (Result<Void, ModuleError>) -> Void

    private struct State {
        var messages: [Message] = []
        var fill = QueueFill(countLimit: limit, byteLimit: byteLimit)
        var completions: [Completion] = []
        var isRunning = false
    }

    let channel: String
    /// What the records are named after.
    let topicName: TopicName
    private let bus: any PubSub
    private let immediate: (any ImmediatePublishing)?
    private let state = Mutex(State())

    init(bus: any PubSub, channel: String) {
        self.bus = bus
        self.channel = channel
        topicName = TopicName(channel)
        immediate = bus as? any ImmediatePublishing
    }

    /// Calls `completion` once the bus has taken the events, on any thread.
    func publish(_ events: [Event], _ completion: @escaping Completion) {
        let messages = events.map { Message(unkept: $0, channel: topicName) }
        if let immediate, state.withLock({ !$0.isRunning }), immediate.publishNow(messages, to: channel) { return completion(.success(())) }
        let bytes = events.reduce(0) { $0 + $1.byteCount }
        let (isTaken, mustRun) = state.withLock { state in
            guard state.fill.add(count: messages.count, bytes: bytes) else { return (false, false) }
            state.messages += messages
            state.completions.append(completion)
            defer { state.isRunning = true }
            return (true, !state.isRunning)
        }
        if mustRun { Task { await run() } }
        guard isTaken else {
            return completion(.failure(.transient("publish.bus_behind", "\(Self.limit) events, or \(Self.byteLimit >> 20) MiB of them, wait for the bus already: it takes them more slowly than they come")))
        }
    }

    private func run() async {
        while let (messages, completions) = next() {
            let result: Result<Void, ModuleError>
            do {
                result = .success(try await bus.publish(messages, to: channel))
            } catch {
                result = .failure(error as? ModuleError ?? .transient("publish.failed", "\(error)"))
            }
            for completion in completions { completion(result) }
        }
    }

    /// Nil, and the run is over, if nothing waits.
    private func next() -> ([Message], [Completion])? {
        state.withLock { state in
            state.isRunning = !state.completions.isEmpty
            guard state.isRunning else { return nil }
            defer {
                state.messages = []
                state.fill.empty()
                state.completions = []
            }
            return (state.messages, state.completions)
        }
    }
}
