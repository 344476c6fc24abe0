import Martlet
import MartletTesting
import Synchronization
import Testing

@Suite struct ChannelContractTests {
    enum ChannelFlaw: String, Flaw {
        case none, closeHangs, staysClosed, awayIsPermanent, reverses, losesOne, oneOutcomeLess, refusesRepeats, badIsHandled
        case badIsTransient, losesSecondPartition, drainHangs, closedIsPermanent, hangsWhenCancelled

        var broken: String? {
            switch self {
            case .none: nil
            case .closeHangs: "closed at any time"
            case .staysClosed: "opened again"
            case .awayIsPermanent: "an outside that is away is permanent"
            case .reverses: "messages arrive in their order"
            case .losesOne: "messages (59 have come)"
            case .oneOutcomeLess: "outcomes of"
            case .refusesRepeats: "a good message was refused"
            case .badIsHandled, .badIsTransient: "the only one that fails, permanently"
            case .losesSecondPartition: "several partitions"
            case .drainHangs: "`drain` ends"
            case .closedIsPermanent: "after close failed permanently"
            case .hangsWhenCancelled: "ends when its task is cancelled"
            }
        }
    }

    @Test(arguments: ChannelFlaw.allCases, [ChannelContract.Order.partition, .key])
    func aFlawIsSeen(_ flaw: ChannelFlaw, order: ChannelContract.Order) async {
        await expectBroken(flaw) {
            try await ChannelContract.verify(
                payload: { "good \($0)" }, badPayload: "bad", order: order,
                attach: { channel in
                    guard let channel = channel as? FlawedChannel else { return { [] } }
                    return { channel.received }
                },
                makeUnreachable: { FlawedChannel(flaw, isAway: true) }, patience: .seconds(flaw == .none ? 10 : 1),
                make: { FlawedChannel(flaw) })
        }
    }
}

private final class FlawedChannel: DeliveryChannel {
    static let name = "flawed"
    static let summary = "For tests."
    private struct State {
        var isOpen = false
        var hasBeenClosed = false
        var received: [String] = []
    }

    private let flaw: ChannelContractTests.ChannelFlaw
    private let isAway: Bool
    private let state = Mutex(State())

    init(_ flaw: ChannelContractTests.ChannelFlaw, isAway: Bool = false) {
        self.flaw = flaw
        self.isAway = isAway
    }

    init?(config: NoConfig, context: ModuleContext) { nil }

    var received: [String] { state.withLock { $0.received } }

    func open(replay: (any MessageReplay)?) async throws {
        if isAway { throw ModuleError(flaw == .awayIsPermanent ? .permanent : .transient, code: "test.away", "nobody listens") }
        state.withLock { $0.isOpen = flaw != .staysClosed || !$0.hasBeenClosed }
    }

    func deliver(_ messages: [Message]) async throws -> WriteResult {
        if flaw == .hangsWhenCancelled, Task.isCancelled { await hang() }
        return try state.withLock { state in
            guard state.isOpen else {
                throw ModuleError(flaw == .closedIsPermanent ? .permanent : .transient, code: "test.closed", "closed")
            }
            var errors: [ModuleError?] = []
            for message in flaw == .reverses ? messages.reversed() : messages {
                errors.append(take(message, &state))
            }
            if flaw == .oneOutcomeLess { errors = Array(errors.dropLast()) }
            return .each(errors)
        }
    }

    private func take(_ message: Message, _ state: inout State) -> ModuleError? {
        let record = message.record
        if record.event.payload == "bad" {
            switch flaw {
            case .badIsHandled: return nil
            case .badIsTransient: return .transient("test.bad", "bad")
            default: return .permanent("test.bad", "bad")
            }
        }
        if flaw == .losesOne, record.offset == 30 { return nil }
        if flaw == .losesSecondPartition, record.partition == 1 { return nil }
        let id = record.event.id.string
        if state.received.contains(id) { return flaw == .refusesRepeats ? .permanent("test.again", "again") : nil }
        state.received.append(id)
        return nil
    }

    func drain(within grace: Duration) async {
        if flaw == .drainHangs { await hang() }
    }

    func close() async {
        if flaw == .closeHangs { await hang() }
        state.withLock { state in
            state = State(hasBeenClosed: true)
        }
    }
}
