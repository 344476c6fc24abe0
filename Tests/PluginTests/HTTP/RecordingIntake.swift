import Martlet
import Synchronization

/// Gives every input the outcome that a test wants, and remembers the inputs.
final class RecordingIntake: Intake {
    private let outcome: @Sendable (Int, SourceInput) -> IntakeOutcome
    private let accepted = Mutex<[SourceInput]>([])
    private let held = Mutex<[@Sendable () -> Void]>([])
    private let isHolding: Bool

    /// - Parameter isHolding: outcomes wait for ``release()``.
    init(isHolding: Bool = false, _ outcome: @escaping @Sendable (Int, SourceInput) -> IntakeOutcome) {
        self.outcome = outcome
        self.isHolding = isHolding
    }

    var inputs: [SourceInput] { accepted.withLock { $0 } }

    func accept(_ inputs: [SourceInput], completion: @escaping @Sendable ([IntakeOutcome]) -> Void) {
        let first = accepted.withLock { accepted in
            defer { accepted += inputs }
            return accepted.count
        }
        let outcomes = inputs.enumerated().map { outcome(first + $0.offset, $0.element) }
        if isHolding { held.withLock { $0.append { completion(outcomes) } } } else { completion(outcomes) }
    }

    func release() {
        let waiting = held.withLock { held in
            defer { held = [] }
            return held
        }
        for answer in waiting { answer() }
    }
}
