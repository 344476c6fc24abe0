import Martlet
import Synchronization

/// Bounds the bytes that are on their way to the server. Publishers beyond it wait, in the order in which they came.
final class InFlightBudget: Sendable {
    private struct State {
        var used = 0
        var waiting: [(bytes: Int, continuation: CheckedContinuation<Bool, Never>)] = []
    }

    private let limit: Int
    private let waitingMax: Int
    private let state = Mutex(State())

    init(limit: Int, waitingMax: Int) {
        self.limit = limit
        self.waitingMax = waitingMax
    }

    /// Takes a share, to be given back; one that is larger than the whole budget is granted while nobody else has any.
    ///
    /// - Throws: transient, `redis.overloaded`, if too many wait.
    func take(_ bytes: Int) async throws(ModuleError) {
        let isGranted = await withCheckedContinuation { (continuation: CheckedContinuation<Bool, Never>) in
            let answer = state.withLock { state -> Bool? in
                if state.waiting.isEmpty, fits(bytes, state) {
                    state.used += bytes
                    return true
                }
                guard state.waiting.count < waitingMax else { return false }
                state.waiting.append((bytes, continuation))
                return nil
            }
            if let answer { continuation.resume(returning: answer) }
        }
        guard isGranted else {
            throw .transient(
                "redis.overloaded",
                "\(waitingMax) publishers wait for Redis already (`max_waiting_publishes`): it takes messages more slowly than they come")
        }
    }

    func give(_ bytes: Int) {
        let granted = state.withLock { state in
            state.used -= bytes
            var granted = 0
            while granted < state.waiting.count, fits(state.waiting[granted].bytes, state) {
                state.used += state.waiting[granted].bytes
                granted += 1
            }
            defer { state.waiting.removeFirst(granted) }
            return state.waiting[..<granted].map(\.continuation)
        }
        for continuation in granted { continuation.resume(returning: true) }
    }

    private func fits(_ bytes: Int, _ state: State) -> Bool {
        state.used == 0 || state.used + bytes <= limit
    }
}
