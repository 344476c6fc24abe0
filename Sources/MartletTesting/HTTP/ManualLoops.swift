public import Martlet
import Synchronization

/// Event loops that run only when a test says so, on the test's own thread, with a clock that it moves.
public final class ManualLoops: EventLoops {
    private struct State {
        var queues: [[@Sendable () -> Void]]
        var timers: [(due: Duration, number: Int, loop: Int, work: @Sendable () -> Void)] = []
        var now = Duration.zero
        var nextNumber = 0
    }

    public let count: Int
    private let state: Mutex<State>

    public init(count: Int) {
        self.count = count
        state = Mutex(State(queues: Array(repeating: [], count: count)))
    }

    public func execute(on index: Int, _ work: @escaping @Sendable () -> Void) {
        state.withLock { $0.queues[index].append(work) }
    }

    public func schedule(on index: Int, after delay: Duration, _ work: @escaping @Sendable () -> Void) {
        state.withLock { state in
            state.timers.append((state.now + delay, state.nextNumber, index, work))
            state.nextNumber += 1
        }
    }

    /// Whether there is work that could run now.
    public var isIdle: Bool { state.withLock { $0.queues.allSatisfy(\.isEmpty) } }

    /// Runs one turn of a loop: the work that it has by now.
    public func turn(_ index: Int) {
        let work = state.withLock { state in
            defer { state.queues[index] = [] }
            return state.queues[index]
        }
        for item in work { item() }
    }

    /// Runs all loops until none has work.
    public func run() {
        while !isIdle {
            for index in 0..<count { turn(index) }
        }
    }

    /// Moves the clock, running what falls due in its order.
    public func advance(by duration: Duration) {
        let end = state.withLock { $0.now + duration }
        run()
        while let due = nextTimer(until: end) {
            execute(on: due.loop, due.work)
            run()
        }
        state.withLock { $0.now = end }
    }

    private func nextTimer(until end: Duration) -> (loop: Int, work: @Sendable () -> Void)? {
        state.withLock { state in
            let next = state.timers.indices.min { left, right in
                let (a, b) = (state.timers[left], state.timers[right])
                return (a.due, a.number) < (b.due, b.number)
            }
            guard let next, state.timers[next].due <= end else { return nil }
            let timer = state.timers.remove(at: next)
            state.now = max(state.now, timer.due)
            return (timer.loop, timer.work)
        }
    }
}
