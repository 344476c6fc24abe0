import Martlet
import MartletTesting
import Synchronization
import Testing

@Suite struct PubSubContractTests {
    enum BusFlaw: String, Flaw {
        case none, closeHangs, opensWhileAway, awayIsPermanent, losesHeaders, losesPlace, reverses, repeats, overlaps, mixesChannels
        case ignoresCancel, losesSome, staysOnItsHost, losesSilently, lostIsPermanent, staysBroken, hangsWhenCancelled

        var broken: String? {
            switch self {
            case .none: nil
            case .closeHangs: "closed at any time"
            case .opensWhileAway: "should have failed"
            case .awayIsPermanent: "server that is away is permanent"
            case .losesHeaders, .losesPlace: "arrives as it was published"
            case .reverses, .repeats: "in the order of the bus, once"
            case .overlaps: "one call of `receive` at a time"
            case .mixesChannels: "none of other channels"
            case .ignoresCancel: "receives nothing more"
            case .losesSome: "not within"
            case .staysOnItsHost: "subscribers of another"
            case .losesSilently: "no gap was told"
            case .lostIsPermanent: "lost connection is permanent"
            case .staysBroken: "fails again and again"
            case .hangsWhenCancelled: "ends when its task is cancelled"
            }
        }
    }

    @Test(arguments: BusFlaw.allCases) func aFlawIsSeen(_ flaw: BusFlaw) async {
        let server = BusServer(flaw)
        await expectBroken(flaw) {
            try await PubSubContract.verify(
                makeUnreachable: { FlawedBus(server, isAway: true) }, breakConnections: { server.breakConnections() },
                patience: .seconds(flaw == .none ? 10 : 1), make: { FlawedBus(server) })
        }
    }
}

/// What the buses of several hosts share.
private final class BusServer: Sendable {
    typealias Receive = @Sendable (Delivery) -> Void
    struct Subscriber {
        let channel: String
        let host: ObjectIdentifier
        let isCancelled: SharedFlag
        let receive: Receive
    }

    private struct State {
        var subscribers: [Subscriber] = []
        var isBroken = false
        var published = 0
    }

    let flaw: PubSubContractTests.BusFlaw
    private let state = Mutex(State())
    private let turn = Turn()

    init(_ flaw: PubSubContractTests.BusFlaw) { self.flaw = flaw }

    func breakConnections() { state.withLock { $0.isBroken = true } }

    func add(_ subscriber: Subscriber) { state.withLock { $0.subscribers.append(subscriber) } }

    func remove(host: ObjectIdentifier) { state.withLock { $0.subscribers.removeAll { $0.host == host } } }

    func publish(_ messages: [Message], to channel: String, from host: ObjectIdentifier) async throws {
        let (targets, wasBroken, number) = state.withLock { state in
            defer { if flaw != .staysBroken { state.isBroken = false } }
            state.published += 1
            let targets = state.subscribers.filter { subscriber in
                (flaw == .mixesChannels || subscriber.channel == channel) && (flaw != .staysOnItsHost || subscriber.host == host)
            }
            return (targets, state.isBroken, state.published)
        }
        if wasBroken {
            if flaw == .lostIsPermanent { throw ModuleError.permanent("test.lost", "the connection was lost") }
            if flaw == .losesSilently { return }
            await turn.take { for target in targets { target.receive(.gap) } }
            throw ModuleError.transient("test.lost", "the connection was lost")
        }
        if flaw == .losesSome, number % 100 == 99 { return }
        let sent = flawed(messages)
        if flaw == .overlaps, messages.count >= 10 {
            for target in targets { Task.detached { target.receive(.messages(Array(sent.prefix(sent.count / 2)))) } }
            for target in targets { target.receive(.messages(Array(sent.suffix(sent.count - sent.count / 2)))) }
            return
        }
        await turn.take {
            for target in targets where flaw == .ignoresCancel || !target.isCancelled.isSet { target.receive(.messages(sent)) }
        }
    }

    private func flawed(_ messages: [Message]) -> [Message] {
        switch flaw {
        case .losesHeaders:
            messages.map { message in
                var message = message
                message.record.event.headers = []
                return message
            }
        case .losesPlace: messages.map { Message(record: $0.record, previousOffset: nil, isLast: $0.isLast) }
        // The messages of one publish that are compared whole stay as they are.
        case .reverses: messages.count < 10 ? messages : messages.reversed()
        case .repeats: messages.count < 10 ? messages : messages + messages.suffix(1)
        default: messages
        }
    }
}

/// One publisher at a time.
private actor Turn {
    func take(_ body: @Sendable () -> Void) { body() }
}

/// A flag that can be shared.
private final class SharedFlag: Sendable {
    private let flag = Atomic(false)
    var isSet: Bool { flag.load(ordering: .acquiring) }
    func set() { flag.store(true, ordering: .releasing) }
}

private final class FlawedBus: PubSub {
    static let name = "flawed"
    static let summary = "For tests."
    private let server: BusServer
    private let isAway: Bool

    init(_ server: BusServer, isAway: Bool = false) {
        self.server = server
        self.isAway = isAway
    }

    init?(config: NoConfig, context: ModuleContext) { nil }

    func open() async throws {
        guard isAway, server.flaw != .opensWhileAway else { return }
        throw ModuleError(server.flaw == .awayIsPermanent ? .permanent : .transient, code: "test.away", "nobody listens")
    }

    func publish(_ messages: [Message], to channel: String) async throws {
        if server.flaw == .hangsWhenCancelled, Task.isCancelled { await hang() }
        if !messages.isEmpty { try await server.publish(messages, to: channel, from: ObjectIdentifier(self)) }
    }

    func subscribe(to channel: String, _ receive: @escaping @Sendable (Delivery) -> Void) async throws -> Subscription {
        let isCancelled = SharedFlag()
        server.add(
            BusServer.Subscriber(channel: channel, host: ObjectIdentifier(self), isCancelled: isCancelled, receive: receive))
        return Subscription { isCancelled.set() }
    }

    func close() async {
        if server.flaw == .closeHangs { await hang() }
        server.remove(host: ObjectIdentifier(self))
    }
}
