import Martlet
import Synchronization

/// Stands for the platform behind a source: keeps inputs, and answers as a contract wants it.
final class ScriptedIntake: Intake {
    private struct State {
        var inputs: [SourceInput] = []
        var script: [IntakeOutcome] = []
        var holds = false
        var held: [@Sendable () -> Void] = []
    }

    private let state = Mutex(State())

    /// All inputs so far, those that were not taken included.
    var inputs: [SourceInput] { state.withLock { $0.inputs } }

    /// Outcomes of the next inputs; those after them are taken.
    var script: [IntakeOutcome] {
        get { state.withLock { $0.script } }
        set { state.withLock { $0.script = newValue } }
    }

    /// Whether outcomes wait for ``release()``.
    var holds: Bool {
        get { state.withLock { $0.holds } }
        set { state.withLock { $0.holds = newValue } }
    }

    func release() {
        let held = state.withLock { state in
            defer { state.held = [] }
            return state.held
        }
        for answer in held { answer() }
    }

    func accept(_ inputs: [SourceInput], completion: @escaping @Sendable ([IntakeOutcome]) -> Void) {
        let answer: (@Sendable () -> Void)? = state.withLock { state in
            let outcomes = inputs.map { _ -> IntakeOutcome in
                state.script.isEmpty ? .published(id: "id", topic: "contract", partition: 0, offset: 0) : state.script.removeFirst()
            }
            state.inputs += inputs
            let answer: @Sendable () -> Void = { completion(outcomes) }
            guard state.holds else { return answer }
            state.held.append(answer)
            return nil
        }
        // As the log does: on a thread of its own.
        if let answer { Task { answer() } }
    }
}

/// Something that has happened or not.
final class EndFlag: Sendable {
    private let flag = Atomic(false)

    var isSet: Bool { flag.load(ordering: .acquiring) }

    func set() {
        flag.store(true, ordering: .releasing)
    }
}
