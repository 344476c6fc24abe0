import Martlet
import MartletTesting
import Synchronization
import Testing

@Suite struct SourceContractTests {
    enum SourceFlaw: String, Flaw {
        case none, closeHangs, awayIsPermanent, swapsInputs, losesOne, repeatsInputs, answersEarly, hidesUnavailable, hidesRejected
        case stopsAtRejected, losesAtTheSameTime, dropsUnderWay, bringsAfterClose
        /// Producers that hear nothing: a file.
        case silent, silentForgets

        var isSilent: Bool { self == .silent || self == .silentForgets }

        var broken: String? {
            switch self {
            case .none, .silent: nil
            case .closeHangs: "closed at any time"
            case .awayIsPermanent: "an outside that is away is permanent"
            case .swapsInputs, .repeatsInputs: "in the order in which they were produced, once"
            case .losesOne: "input 7 at the intake"
            case .answersEarly: "while the intake still held it"
            case .hidesUnavailable: "is not lost"
            case .hidesRejected: "it was rejected"
            case .stopsAtRejected: "hold up those that follow"
            case .losesAtTheSameTime: "several producers"
            case .dropsUnderWay: "`close` lets inputs under way finish"
            case .bringsAfterClose: "nothing comes in after it"
            case .silentForgets: "input 0 again"
            }
        }
    }

    @Test(arguments: SourceFlaw.allCases) func aFlawIsSeen(_ flaw: SourceFlaw) async {
        await expectBroken(flaw) {
            try await SourceContract.verify(
                send: { source, number in await (source as? FlawedSource)?.produce(number) ?? .none },
                number: { Int($0.payload.string) }, makeUnreachable: { FlawedSource(flaw, isAway: true) },
                patience: .seconds(flaw.broken == nil ? 10 : 1), make: { FlawedSource(flaw) })
        }
    }
}

private final class FlawedSource: EventSource {
    static let name = "flawed"
    static let summary = "For tests."
    let templateVariables: Set<TemplateVariableKind> = []
    private struct State {
        var intake: (any Intake)?
        var last: (any Intake)?
        var underWay = 0
        var held: Int?
        var isStuck = false
    }

    private let flaw: SourceContractTests.SourceFlaw
    private let isAway: Bool
    private let state = Mutex(State())

    init(_ flaw: SourceContractTests.SourceFlaw, isAway: Bool = false) {
        self.flaw = flaw
        self.isAway = isAway
    }

    init?(config: NoConfig, context: ModuleContext) { nil }

    func open(intake: any Intake) async throws {
        if isAway { throw ModuleError(flaw == .awayIsPermanent ? .permanent : .transient, code: "test.away", "nobody listens") }
        state.withLock {
            $0.intake = intake
            $0.last = intake
        }
    }

    func produce(_ number: Int) async -> SourceContract.Answer {
        let (intake, isBusy, isStuck) = state.withLock { state in
            let intake = flaw == .bringsAfterClose ? state.last : state.intake
            let isBusy = state.underWay > 0
            if intake != nil { state.underWay += 1 }
            return (intake, isBusy, state.isStuck)
        }
        guard let intake else { return flaw.isSilent ? .none : .refused }
        defer { state.withLock { $0.underWay -= 1 } }
        if isStuck { return .accepted }
        if flaw == .losesOne, number == 7 { return .accepted }
        if flaw == .losesAtTheSameTime, isBusy { return .accepted }
        if flaw.isSilent {
            Task { await bring(number, intake) }
            return .none
        }
        if flaw == .answersEarly {
            Task { await take([number], intake) }
            return .accepted
        }
        if flaw == .swapsInputs {
            // The first waits for the second, which goes before it.
            let before = state.withLock { state in
                defer { state.held = state.held == nil && number == 5 ? 5 : nil }
                return state.held
            }
            if number == 5 { return .accepted }
            return await take(before.map { [number, $0] } ?? [number], intake)
        }
        return await take(flaw == .repeatsInputs ? [number, number] : [number], intake)
    }

    /// What a source does that nobody waits for: it tries again until the input is taken or at fault.
    private func bring(_ number: Int, _ intake: any Intake) async {
        while await take([number], intake) == .refused, flaw != .silentForgets {
            if state.withLock({ $0.intake == nil }) { return }
            await Task.yield()
        }
    }

    @discardableResult
    private func take(_ numbers: [Int], _ intake: any Intake) async -> SourceContract.Answer {
        let outcomes = await withCheckedContinuation { continuation in
            intake.accept(numbers.map { SourceInput(payload: Bytes("\($0)")) }) { continuation.resume(returning: $0) }
        }
        if flaw == .dropsUnderWay, state.withLock({ $0.intake == nil }) { return .refused }
        switch outcomes[0] {
        case .unavailable: return flaw == .hidesUnavailable ? .accepted : .refused
        case .rejected:
            if flaw == .stopsAtRejected { state.withLock { $0.isStuck = true } }
            // Nobody hears of an input at fault that came out of a file: the source goes on.
            return flaw == .hidesRejected || flaw.isSilent ? .accepted : .refused
        default: return .accepted
        }
    }

    func close() async {
        if flaw == .closeHangs { await hang() }
        state.withLock { $0.intake = nil }
    }
}
