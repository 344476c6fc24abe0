import Martlet
import Synchronization
import Testing

@testable import Pipelines

/// The order in which a channel gets what a subscription brings.
struct ChannelFeedTests {
    /// Takes messages at once as often as it is told to; `deliver` waits until it is let.
    private final class ScriptedChannel: ImmediateDelivery {
        struct Config: ModuleConfig {
            init(from fields: inout ConfigFields) {}
        }

        private struct State {
            var events: [String] = []
            var refusals = 0
            var isHeld = false
        }

        static let name = "scripted"
        static let summary = "A channel of this test."
        private let state = Mutex(State())

        init(refusals: Int = 0, isHeld: Bool = false) {
            state.withLock { $0 = State(refusals: refusals, isHeld: isHeld) }
        }

        init?(config: Config, context: ModuleContext) {}

        var events: [String] { state.withLock { $0.events } }
        func letGo() { state.withLock { $0.isHeld = false } }

        func deliverNow(_ messages: [Message]) -> Bool {
            state.withLock { state in
                if state.refusals > 0 {
                    state.refusals -= 1
                    return false
                }
                state.events += messages.map { "now \($0.record.offset)" }
                return true
            }
        }

        func deliver(_ messages: [Message]) async throws -> WriteResult {
            _ = await waitUntil { state.withLock { !$0.isHeld } }
            state.withLock { state in state.events += messages.map { "later \($0.record.offset)" } }
            return .handled
        }

        func mayHaveMissedMessages() { state.withLock { $0.events.append("gap") } }
        func open(replay: (any MessageReplay)?) async throws {}
        func close() async {}
    }

    private func messages(_ offsets: Offset..., payload: Bytes = "") -> Delivery {
        .messages(
            offsets.map { offset in
                Message(
                    record: Record(topic: "t", partition: 0, offset: offset, event: Event(id: "", key: nil, payload: payload, timestamp: 0)),
                    previousOffset: nil)
            })
    }

    @Test func aChannelThatCanTakesMessagesAtOnce() {
        let channel = ScriptedChannel()
        let feed = ChannelFeed(channel: channel, logger: .silent)
        feed.receive(messages(0, 1))
        feed.receive(messages(2))
        #expect(channel.events == ["now 0", "now 1", "now 2"])
    }

    @Test func whatItCannotTakeAtOnceGoesFirstAllTheSame() async {
        let channel = ScriptedChannel(refusals: 1, isHeld: true)
        let feed = ChannelFeed(channel: channel, logger: .silent)
        feed.receive(messages(0))
        feed.receive(messages(1, 2))
        feed.receive(messages(3))
        #expect(channel.events.isEmpty)
        channel.letGo()
        _ = await waitUntil { channel.events.count == 4 }
        #expect(channel.events == ["later 0", "later 1", "later 2", "later 3"])
        // Once nothing waits, messages are taken at once again.
        _ = await waitUntil {
            if channel.events.last?.hasPrefix("now") != true { feed.receive(messages(4)) }
            return channel.events.last == "now 4"
        }
    }

    @Test func aGapIsToldBeforeWhatFollowsIt() async {
        let channel = ScriptedChannel()
        let feed = ChannelFeed(channel: channel, logger: .silent)
        feed.receive(.gap)
        feed.receive(messages(1))
        _ = await waitUntil { channel.events.count == 2 }
        #expect(channel.events == ["gap", "later 1"] || channel.events == ["gap", "now 1"])
    }

    @Test func moreBytesThanItKeepsAreAGap() async {
        let channel = ScriptedChannel(refusals: 1, isHeld: true)
        let feed = ChannelFeed(channel: channel, logger: .silent)
        feed.receive(messages(0))
        // The first is being delivered, which takes time; these wait.
        let half = Bytes(String(repeating: "x", count: ChannelFeed.byteLimit / 2))
        for offset in Offset(1)...3 { feed.receive(messages(offset, payload: half)) }
        channel.letGo()
        #expect(await waitUntil { channel.events.contains("gap") })
        #expect(!channel.events.contains("later 3"))
    }
}
