import Martlet
import Synchronization

/// Reads the log for connections that catch up, a bounded number at a time, in the order in which they asked. A
/// connection has one request at a time, so the queue is bounded by the connections.
final class ReplayPool: Sendable {
    /// Readings at the same time.
    static let concurrency = 8
    /// Messages of one page.
    static let pageMessages = 500

    private struct Job: Sendable {
        let read: ConnectionRead
        let topic: TopicName
        let answer: @Sendable (Result<ReplayPage, ModuleError>) -> Void
    }

    private struct State {
        var waiting: [Job] = []
        /// The jobs before this one have been taken.
        var head = 0
        var running = 0
        var isClosed = false
    }

    private let replay: any MessageReplay
    private let state = Mutex(State())

    init(_ replay: any MessageReplay) {
        self.replay = replay
    }

    func submit(
        _ read: ConnectionRead, _ topic: TopicName, answer: @escaping @Sendable (Result<ReplayPage, ModuleError>) -> Void
    ) {
        let mustStart = state.withLock { state in
            state.waiting.append(Job(read: read, topic: topic, answer: answer))
            guard state.running < Self.concurrency else { return false }
            state.running += 1
            return true
        }
        if mustStart { Task { await run() } }
    }

    /// Reads no more; what waits is forgotten.
    func close() {
        state.withLock { state in
            state.isClosed = true
            state.waiting = []
            state.head = 0
        }
    }

    private func run() async {
        while let job = next() {
            let result: Result<ReplayPage, ModuleError>
            do {
                let read = job.read
                result = .success(
                    try await replay.read(
                        topic: job.topic, partition: PartitionID(read.slot.partition), keys: read.keys, from: read.from,
                        to: read.to, limit: Self.pageMessages))
            } catch {
                result = .failure(error as? ModuleError ?? .transient("sse.replay_failed", "\(error)"))
            }
            job.answer(result)
        }
    }

    /// The next job, or nil if this runner is done.
    private func next() -> Job? {
        state.withLock { state in
            guard !state.isClosed, state.head < state.waiting.count else {
                state.running -= 1
                return nil
            }
            let job = state.waiting[state.head]
            state.head += 1
            if state.head == state.waiting.count || state.head >= 1_024 {
                state.waiting.removeFirst(state.head)
                state.head = 0
            }
            return job
        }
    }
}
