import BusPlugin
import Martlet
import MartletTesting
import Synchronization
import Testing

@Suite struct PubSubSinkTests {
    private let partition = GroupPartition(group: "g", topic: "t", incarnation: "1", partition: 2)

    private func record(_ offset: Offset, index: Int32 = 0) -> Record {
        let event = Event(id: "e", key: "k", payload: "{}", timestamp: 0)
        return Record(topic: "t", partition: 2, offset: offset, index: index, event: event)
    }

    private func sink(on bus: any PubSub) throws -> PubSubSink {
        try TestHost(pubSubs: ["bus": bus]).make(PubSubSink.self, #"{"type": "pubsub", "pubsub": "bus", "channel": "notifications"}"#)
    }

    @Test func messagesNameTheOffsetPublishedBefore() async throws {
        let bus = CapturingBus()
        let sink = try sink(on: bus)
        // The group begins at 10; 12 is filtered.
        _ = try await sink.write([record(10), record(11), record(13)], of: partition, covering: 10..<14)
        // All of a batch is filtered, then the end of one.
        _ = try await sink.write([], of: partition, covering: 14..<20)
        _ = try await sink.write([record(20)], of: partition, covering: 20..<25)
        _ = try await sink.write([record(25)], of: partition, covering: 25..<26)
        #expect(bus.offsets == [10, 11, 13, 20, 25])
        #expect(bus.previous == [9, 10, 11, 13, 20])
        #expect(bus.channels == ["notifications"])
    }

    @Test func afterARestartEverythingBeforeCountsAsPublished() async throws {
        let bus = CapturingBus()
        _ = try await sink(on: bus).write([record(10)], of: partition, covering: 10..<15)
        let restarted = try sink(on: bus)
        _ = try await restarted.write([record(15)], of: partition, covering: 15..<16)
        // A reset back and a jump ahead: neither follows what was covered.
        _ = try await restarted.write([record(3)], of: partition, covering: 2..<5)
        _ = try await restarted.write([record(50)], of: partition, covering: 40..<51)
        #expect(bus.previous == [9, 14, 1, 39])
    }

    @Test func partsOfOneRecordAreMarked() async throws {
        let bus = CapturingBus()
        let sink = try sink(on: bus)
        let batch = [record(4), record(5), record(5, index: 1), record(5, index: 2), record(6)]
        _ = try await sink.write(batch, of: partition, covering: 4..<7)
        #expect(bus.previous == [3, 4, 4, 4, 5])
        #expect(bus.areLast == [true, false, false, true, true])
    }

    @Test func aFailedBatchComesAgainAlike() async throws {
        let bus = CapturingBus()
        let sink = try sink(on: bus)
        _ = try await sink.write([record(1)], of: partition, covering: 0..<3)
        bus.fail(.transient("bus.away", "away"))
        await #expect(throws: ModuleError.self) {
            _ = try await sink.write([record(3)], of: partition, covering: 3..<4)
        }
        bus.fail(nil)
        _ = try await sink.write([record(3)], of: partition, covering: 3..<4)
        #expect(bus.previous == [-1, 1])
    }

    @Test func partitionsDoNotMix() async throws {
        let bus = CapturingBus()
        let sink = try sink(on: bus)
        let other = GroupPartition(group: "g", topic: "t", incarnation: "1", partition: 3)
        _ = try await sink.write([record(7)], of: partition, covering: 7..<8)
        _ = try await sink.write([record(0)], of: other, covering: 0..<1)
        _ = try await sink.write([record(8)], of: partition, covering: 8..<9)
        #expect(bus.previous == [6, -1, 7])
    }

    @Test func theBusMustBeConfigured() throws {
        let error = #expect(throws: ConfigError.self) {
            try TestHost().make(PubSubSink.self, #"{ "type": "pubsub", "pubsub": "bsu", "channel": "c" }"#)
        }
        #expect(error?.description.contains("unknown pub/sub `bsu`") == true, "\(error?.description ?? "")")
    }
}

/// Remembers what was published.
private final class CapturingBus: PubSub {
    typealias Config = MemoryBusConfig
    static let name = "capturing"
    static let summary = "Remembers what was published."

    private struct State {
        var messages: [Message] = []
        var channels: Set<String> = []
        var failure: ModuleError?
    }

    private let state = Mutex(State())

    init() {}
    convenience init?(config: MemoryBusConfig, context: ModuleContext) { self.init() }

    var offsets: [Offset] { state.withLock { $0.messages.map(\.record.offset) } }
    var previous: [Offset?] { state.withLock { $0.messages.map(\.previousOffset) } }
    var areLast: [Bool] { state.withLock { $0.messages.map(\.isLast) } }
    var channels: Set<String> { state.withLock { $0.channels } }

    func fail(_ error: ModuleError?) {
        state.withLock { $0.failure = error }
    }

    func open() async throws {}

    func publish(_ messages: [Message], to channel: String) async throws {
        try state.withLock { state in
            if let failure = state.failure { throw failure }
            state.messages += messages
            state.channels.insert(channel)
        }
    }

    func subscribe(
        to channel: String, _ receive: @escaping @Sendable (Delivery) -> Void
    ) async throws -> Subscription {
        Subscription {}
    }

    func close() async {}
}
