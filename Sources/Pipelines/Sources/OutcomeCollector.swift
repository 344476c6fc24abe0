import Martlet
import Synchronization

/// Gathers the outcomes of a batch that are found one by one, and hands them over when all are there.
final class OutcomeCollector: Sendable {
    private struct State {
        var outcomes: [IntakeOutcome?]
        var missing: Int
    }

    private let completion: @Sendable ([IntakeOutcome]) -> Void
    private let state: Mutex<State>

    init(count: Int, completion: @escaping @Sendable ([IntakeOutcome]) -> Void) {
        self.completion = completion
        state = Mutex(State(outcomes: Array(repeating: nil, count: count), missing: count))
    }

    /// The outcome of one input; the first one counts.
    func set(_ index: Int, _ outcome: IntakeOutcome) {
        let finished: [IntakeOutcome]? = state.withLock { state in
            guard state.outcomes[index] == nil else { return nil }
            state.outcomes[index] = outcome
            state.missing -= 1
            return state.missing == 0 ? state.outcomes.compactMap { $0 } : nil
        }
        if let finished { completion(finished) }
    }
}
