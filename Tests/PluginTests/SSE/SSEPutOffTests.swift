import Martlet
import MartletTesting
import Pipelines
@testable import SSEPlugin
import Synchronization
import Testing

/// Clients that would resume while the channel or the log goes away.
@Suite struct SSEPutOffTests {
    private let sse = SSEFixture()

    /// Whoever waits for the log when the drain begins is not let in behind it, and the drain does not wait for it.
    @Test func aResumeThatTheDrainOvertakesIsToldToComeBack() async throws {
        let replay = HeldReplay(sse.replay)
        let channel = try sse.channel()
        try await channel.open(replay: replay)
        replay.hold()
        let exchange = sse.request("bob", query: ["last_event_id": "earliest"])
        channel.routes[0].handle(exchange)
        await waitUntil { replay.waitingCount == 1 }
        let started = ContinuousClock.now
        async let drained: Void = channel.drain(within: .seconds(50))
        await waitUntil {
            let late = sse.request("eve")
            channel.routes[0].handle(late)
            sse.loops.run()
            late.stream?.leave()
            return late.answer?.status == 503
        }
        replay.release()
        await sse.settle { exchange.stream?.isClosed == true }
        await drained
        #expect(.now - started < .seconds(40))
        #expect(sse.parsed(try #require(exchange.stream)).retry == 3_000)
    }

    @Test func clientsThatCannotResumeAreCountedAndNotLoggedOneByOne() async throws {
        let log = Mutex("")
        let host = TestHost(payloads: SimdjsonPayloadReader(), loops: sse.loops, log: { line in log.withLock { $0 += line + "\n" } })
        let channel = try sse.channel(host: host)
        try await channel.open(replay: sse.replay)
        sse.replay.fail(.transient("log.away", "away"))
        let exchanges = (0..<40).map { sse.request("user-\($0)", query: ["last_event_id": "earliest"]) }
        for exchange in exchanges { channel.routes[0].handle(exchange) }
        async let drained: Void = channel.drain(within: .seconds(50))
        await sse.settle { exchanges.allSatisfy { $0.stream?.isClosed == true } }
        await drained
        #expect(log.withLock { $0 }.ranges(of: "cannot be resumed").count == 6)
        #expect(host.metrics.render().contains(#"martlet_sse_put_off_total{channel="test"} 40"#))
    }

    /// Another environment that publishes on the same bus, say: its offsets are not this log's.
    @Test func aMessageFromBeyondTheLogsEndHidesNoOther() async throws {
        let log = Mutex("")
        let host = TestHost(payloads: SimdjsonPayloadReader(), loops: sse.loops, log: { line in log.withLock { $0 += line + "\n" } })
        let channel = try sse.channel(host: host)
        try await channel.open(replay: HeldReplay(sse.replay))
        let bob = try sse.connect(channel, "bob")
        let event = Event(id: "other", key: "eve", payload: "{}", timestamp: 0)
        let foreign = Message(record: Record(topic: SSEFixture.topic, partition: 0, offset: 1_000, event: event), previousOffset: 999)
        _ = try await channel.deliver([foreign])
        await sse.settle { log.withLock { $0 }.contains("cannot be reread") }
        for number in 0..<3 { _ = try await channel.deliver([sse.message("bob", "\(number)")]) }
        await sse.settle { sse.data(bob).count == 3 }
        #expect(sse.data(bob) == ["0", "1", "2"])
    }

    /// A time that is up before the wait has begun ends it all the same.
    @Test func aWaitWithoutTimeEnds() async throws {
        let limits = ConnectionLimits(
            ConnectionLimits.Maximums(total: 10, perKey: 10, perUser: 10, perAddress: nil, perSecond: 10), countsKeys: true)
        #expect(limits.admit(StreamPeer(keys: ["bob"])) == .admitted)
        let isDone = Atomic(false)
        let waits = Task {
            for _ in 0..<2_000 {
                await withTaskGroup(of: Void.self) { group in
                    for _ in 0..<20 { group.addTask { await limits.waitUntilEmpty(atMost: .zero) } }
                }
            }
            isDone.store(true, ordering: .relaxed)
        }
        await waitUntil { isDone.load(ordering: .relaxed) }
        waits.cancel()
    }
}

/// A log that says where it ends only when the test lets it. As the host's does, it goes to the end of what was asked for where
/// nothing is left.
private final class HeldReplay: MessageReplay {
    private struct State {
        var isHeld = false
        var waiting: [CheckedContinuation<Void, Never>] = []
    }

    private let inner: MemoryReplay
    private let state = Mutex(State())

    init(_ inner: MemoryReplay) {
        self.inner = inner
    }

    var waitingCount: Int { state.withLock { $0.waiting.count } }

    func hold() {
        state.withLock { $0.isHeld = true }
    }

    func release() {
        let waiting = state.withLock { state in
            defer { state = State() }
            return state.waiting
        }
        for continuation in waiting { continuation.resume() }
    }

    func ends() async throws -> [ReplayTopic] {
        await withCheckedContinuation { continuation in
            let mustWait = state.withLock { state in
                if state.isHeld { state.waiting.append(continuation) }
                return state.isHeld
            }
            if !mustWait { continuation.resume() }
        }
        return try inner.ends()
    }

    func starts() async throws -> [ReplayTopic] { try inner.starts() }

    func partition(of key: Bytes, topic: TopicName) -> PartitionID? { inner.partition(of: key, topic: topic) }

    func read(
        topic: TopicName, partition: PartitionID, keys: [Bytes]?, from offset: Offset, to end: Offset, limit: Int
    ) async throws -> ReplayPage {
        let page = try await inner.read(topic: topic, partition: partition, keys: keys, from: offset, to: end, limit: limit)
        return page.next > offset ? page : ReplayPage(messages: [], next: end, gapUntil: page.gapUntil)
    }
}
