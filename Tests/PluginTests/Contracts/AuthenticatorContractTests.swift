import Martlet
import MartletTesting
import Synchronization
import Testing

@Suite struct AuthenticatorContractTests {
    enum AuthenticatorFlaw: String, Flaw {
        case none, closeHangs, staysClosed, awayIsPermanent, awayRefuses, awayLetsIn, otherCaller, onlyOnce, noChallenge, refusesNobody
        case letsBadIn, badIsMissing, repeatsSecret, noReason, badLocksOut, reloadForgets

        var broken: String? {
            switch self {
            case .none: nil
            case .closeHangs: "close before open did not end"
            case .staysClosed: "after it was opened again"
            case .awayIsPermanent: "keys that cannot be read is permanent"
            case .awayRefuses, .awayLetsIn: "without keys was not answered with `unavailable`"
            case .otherCaller: "the caller is `eve`, expected `ana`"
            case .onlyOnce: "whenever it comes"
            case .noChallenge: "no `challenge`"
            case .refusesNobody: "without credentials was not `missing`"
            case .letsBadIn, .badIsMissing: "bad request 0 was not `refused`"
            case .repeatsSecret: "repeats the credentials"
            case .noReason: "without a code or a reason"
            case .badLocksOut: "after bad request 0"
            case .reloadForgets: "after `reload`"
            }
        }
    }

    @Test(arguments: AuthenticatorFlaw.allCases) func aFlawIsSeen(_ flaw: AuthenticatorFlaw) async {
        await expectBroken(flaw) {
            try await AuthenticatorContract.verify(
                callerID: "ana", good: { FakeExchange(headers: [("Authorization", "Bearer the-good-key")]) },
                bad: [{ FakeExchange(headers: [("Authorization", "Bearer a-bad-key")]) }],
                makeUnreachable: { FlawedAuthenticator(flaw, isAway: true) }, patience: .seconds(flaw == .none ? 10 : 1),
                make: { FlawedAuthenticator(flaw) })
        }
    }
}

/// Knows one key.
private final class FlawedAuthenticator: Authenticator {
    static let name = "flawed"
    static let summary = "For tests."
    private struct State {
        var isOpen = false
        var hasBeenClosed = false
        var hasBeenReloaded = false
        var wasBad = false
        var taken = 0
    }

    private let flaw: AuthenticatorContractTests.AuthenticatorFlaw
    private let isAway: Bool
    private let state = Mutex(State())

    init(_ flaw: AuthenticatorContractTests.AuthenticatorFlaw, isAway: Bool = false) {
        self.flaw = flaw
        self.isAway = isAway
    }

    init?(config: NoConfig, context: ModuleContext) { nil }

    var challenge: String { flaw == .noChallenge ? "" : "Bearer" }

    func open() async throws {
        if isAway { throw ModuleError(flaw == .awayIsPermanent ? .permanent : .transient, code: "test.away", "no keys") }
        state.withLock { $0.isOpen = flaw != .staysClosed || !$0.hasBeenClosed }
    }

    func authenticate(_ exchange: any HTTPExchange) throws(AuthenticationFailure) -> Caller {
        let (isOpen, isForgotten) = state.withLock { state in
            state.taken += 1
            let isForgotten = flaw == .onlyOnce && state.taken > 1 || flaw == .badLocksOut && state.wasBad
                || flaw == .reloadForgets && state.hasBeenReloaded
            return (state.isOpen, isForgotten)
        }
        guard isOpen || flaw == .awayLetsIn else {
            if flaw == .awayRefuses { throw .refused(code: "test.unknown", reason: "unknown") }
            throw .unavailable(.transient("test.closed", "closed"))
        }
        guard let text = exchange.header("Authorization") else {
            if flaw == .refusesNobody { throw .refused(code: "test.nobody", reason: "nobody") }
            throw .missing
        }
        if isForgotten { throw .refused(code: "test.forgotten", reason: "forgotten") }
        if text == "Bearer the-good-key" || flaw == .letsBadIn {
            return Caller(id: flaw == .otherCaller ? "eve" : "ana", claims: JSONObject(members: []))
        }
        state.withLock { $0.wasBad = true }
        if flaw == .badIsMissing { throw .missing }
        throw .refused(code: "test.unknown", reason: flaw == .noReason ? "" : flaw == .repeatsSecret ? "`a-bad-key` is unknown" : "unknown")
    }

    func reload() async {
        state.withLock { $0.hasBeenReloaded = true }
    }

    func close() async {
        if flaw == .closeHangs { await hang() }
        state.withLock { state in
            state.isOpen = false
            state.hasBeenClosed = true
        }
    }
}
