public import Martlet

/// What every ``EventSource`` promises, as a suite that an author runs on a new source with one call:
///
/// ```swift
/// try await SourceContract.verify(
///     send: { source, number in
///         let exchange = FakeExchange("POST", body: Bytes("{\"number\": \(number)}"))
///         source.routes[0].handle(exchange)
///         return await exchange.response().status < 300 ? .accepted : .refused
///     },
///     number: { Int($0.payload.string.filter(\.isNumber)) },
///     make: { try host.make(HTTPSource.self, #"{"path": "/likes"}"#) })
/// ```
public struct SourceContract: Sendable {
    /// What the one who produced an input heard of it.
    public enum Answer: Sendable {
        case accepted
        case refused
        /// Producers of this source hear nothing: a file, a clock. The source must bring the input again by itself.
        case none
    }

    /// Makes a source that is not open yet.
    public typealias Factory = @Sendable () async throws -> any EventSource
    /// Gives the source's outside one input with this number, and waits for the answer if producers get one.
    public typealias Send = @Sendable (_ source: any EventSource, _ number: Int) async throws -> Answer

    let send: Send
    let number: @Sendable (SourceInput) -> Int?
    let make: Factory
    let makeUnreachable: Factory?
    let patience: Patience

    /// Verifies all promises, each with a new source.
    ///
    /// - Parameters:
    ///   - send: produces an input; called for sources that are open, and for some that are closed.
    ///   - number: the number of an input that the source brought in.
    ///   - makeUnreachable: makes a source whose outside is away; nil if that cannot be.
    ///   - patience: how long to wait for an input before it counts as lost.
    ///   - make: makes a source.
    /// - Throws: ``ContractViolation`` for the first promise that is broken.
    public static func verify(
        send: @escaping Send, number: @escaping @Sendable (SourceInput) -> Int?, makeUnreachable: Factory? = nil,
        patience: Duration = .seconds(10), make: @escaping Factory
    ) async throws {
        let contract = SourceContract(
            send: send, number: number, make: make, makeUnreachable: makeUnreachable, patience: Patience(limit: patience))
        try await contract.verifyLifeCycle()
        try await contract.verifyInputs()
        try await contract.verifyAnswers()
        try await contract.verifyUnavailable()
        try await contract.verifyRejected()
        try await contract.verifyProducers()
        try await contract.verifyClose()
    }

    private func verifyLifeCycle() async throws {
        let promise = Promise("a source can be closed at any time, more than once")
        let unopened = try await make()
        try await patience.run("close before open", promise) { await unopened.close() }
        let source = try await make()
        try await patience.run("open, then close twice", promise) {
            try await source.open(intake: ScriptedIntake())
            await source.close()
            await source.close()
        }
        guard let makeUnreachable else { return }
        let away = try await makeUnreachable()
        try await patience.runAway(promise, open: { try await away.open(intake: ScriptedIntake()) }, close: { await away.close() })
    }

    private func verifyInputs() async throws {
        let promise = Promise("inputs reach the intake whole, in the order in which they were produced, once if they were taken")
        try await withSource { source, intake in
            for number in 0..<20 {
                let answer = try await patience.run("input \(number)", promise) { try await send(source, number) }
                try promise.require(answer != .refused, "input \(number) was refused, and the intake had taken it")
                try await patience.until("input \(number) at the intake", promise) { numbers(intake).contains(number) }
            }
            try promise.require("inputs", numbers(intake), is: Array(0..<20))
        }
    }

    private func verifyAnswers() async throws {
        let promise = Promise("a producer hears that its input was taken only after the intake has said so")
        try await withSource { source, intake in
            intake.holds = true
            let sending = Task { try await send(source, 0) }
            try await patience.until("input 0 at the intake", promise) { !intake.inputs.isEmpty }
            let early = EndFlag()
            let watching = Task {
                if try await sending.value == .accepted { early.set() }
            }
            // Time for an answer that is not waited for to come back.
            for _ in 0..<20 { try await Task.sleep(for: .milliseconds(1)) }
            try promise.require(!early.isSet, "the producer heard that its input was taken while the intake still held it")
            intake.holds = false
            intake.release()
            try await patience.run("the answer after the outcome", promise) { try await watching.value }
        }
    }

    private func verifyUnavailable() async throws {
        let promise = Promise("an input that cannot be taken now is not lost: its producer hears so, or it comes again")
        try await withSource { source, intake in
            intake.script = [.unavailable(.transient("contract.full", "the queue is full"), retryAfter: .milliseconds(10))]
            let answer = try await patience.run("an input that is refused for now", promise) { try await send(source, 0) }
            try promise.require(answer != .accepted, "the producer heard that its input was taken, and it was not")
            if answer == .none {
                try await patience.until("input 0 again", promise) { numbers(intake).filter { $0 == 0 }.count >= 2 }
            }
            try await requireNext(1, source, intake, promise)
        }
    }

    private func verifyRejected() async throws {
        let promise = Promise("an input that is at fault does not hold up those that follow")
        try await withSource { source, intake in
            intake.script = [.rejected(.permanent("contract.bad", "the input is at fault"))]
            let answer = try await patience.run("an input at fault", promise) { try await send(source, 0) }
            try promise.require(answer != .accepted, "the producer heard that its input was taken, and it was rejected")
            try await requireNext(1, source, intake, promise)
        }
    }

    private func verifyProducers() async throws {
        let promise = Promise("inputs of several producers at the same time all arrive")
        try await withSource { source, intake in
            let answers = try await patience.run("20 inputs at the same time", promise) {
                try await withThrowingTaskGroup(of: Answer.self) { group in
                    for number in 0..<20 { group.addTask { try await send(source, number) } }
                    return try await group.reduce(into: []) { $0.append($1) }
                }
            }
            try promise.require(!answers.contains(.refused), "an input was refused, and the intake had taken all")
            try await patience.until("20 inputs (\(Set(numbers(intake)).count) have come)", promise) { Set(numbers(intake)).count == 20 }
        }
    }

    private func verifyClose() async throws {
        let promise = Promise("`close` lets inputs under way finish, and nothing comes in after it")
        let source = try await make()
        let intake = ScriptedIntake()
        try await source.open(intake: intake)
        intake.holds = true
        let sending = Task { try await send(source, 0) }
        try await patience.until("input 0 at the intake", promise) { !intake.inputs.isEmpty }
        let closing = Task { await source.close() }
        intake.holds = false
        intake.release()
        try await patience.run("close", promise) { await closing.value }
        let answer = try await patience.run("the answer to an input under way", promise) { try await sending.value }
        try promise.require(answer != .refused, "an input that was under way was refused, and the intake had taken it")
        let before = intake.inputs.count
        let late = try await patience.run("an input after close", promise) { try await send(source, 1) }
        try promise.require(late != .accepted, "an input was accepted after close")
        for _ in 0..<20 { try await Task.sleep(for: .milliseconds(1)) }
        try promise.require("inputs after close", intake.inputs.count - before, is: 0)
        await source.close()
    }

    private func requireNext(_ number: Int, _ source: any EventSource, _ intake: ScriptedIntake, _ promise: Promise) async throws {
        let next = try await patience.run("the next input", promise) { try await send(source, number) }
        try promise.require(next != .refused, "the next input was refused, and the intake had taken it")
        try await patience.until("the next input at the intake", promise) { numbers(intake).contains(number) }
    }

    private func numbers(_ intake: ScriptedIntake) -> [Int] {
        intake.inputs.compactMap(number)
    }

    private func withSource(_ body: (any EventSource, ScriptedIntake) async throws -> Void) async throws {
        let source = try await make()
        let intake = ScriptedIntake()
        do {
            try await source.open(intake: intake)
            try await body(source, intake)
        } catch {
            intake.holds = false
            intake.release()
            await source.close()
            throw error
        }
        await source.close()
    }
}
