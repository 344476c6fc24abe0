import BusPlugin
import Martlet
import MartletTesting
import RedisPlugin
import TestSupport
import Testing

/// Two hosts with no Redis between them: one whose `memory` bus listens, one whose `redis` bus connects to it.
struct TwoHostsTests {
    private func record(_ number: Int) -> Record {
        Record(
            topic: "notifications", partition: 1, offset: Offset(number),
            event: Event(id: Bytes("id-\(number)"), key: "bob", headers: [Header("h", "v")], payload: Bytes("\(number)"), timestamp: 1))
    }

    private let place = GroupPartition(group: "g", topic: "notifications", incarnation: "i", partition: 1)

    @Test func whatAGroupPublishesReachesBothHosts() async throws {
        let first = try TestHost().make(MemoryBus.self, #"{"listen": "127.0.0.1:0", "password": "pw"}"#)
        try await first.open()
        let address = try #require(first.listenAddress)
        let second = try TestHost().make(RedisPubSub.self, #"{"url": "redis://:pw@\#(address)"}"#)
        try await second.open()
        let (here, there) = (Inbox(), Inbox())
        _ = try await first.subscribe(to: "notifications", here.receive)
        _ = try await second.subscribe(to: "notifications", there.receive)
        let sink = try TestHost(pubSubs: ["bus": first]).make(PubSubSink.self, #"{"pubsub": "bus", "channel": "notifications"}"#)
        // Of the second batch a record was filtered.
        _ = try await sink.write((0..<100).map(record), of: place, covering: 0..<100)
        _ = try await sink.write([record(100), record(102)], of: place, covering: 100..<103)
        try await there.wait(for: 102)
        for inbox in [here, there] {
            #expect(inbox.messages.map(\.record.offset) == (0..<101).map { Offset($0) } + [102])
            #expect(inbox.messages.map(\.previousOffset) == (-1..<101).map { Offset($0) })
            #expect(inbox.messages.allSatisfy { $0.record.event.headers == [Header("h", "v")] && $0.record.event.key == "bob" })
        }
        // The other way: a group of the second host.
        let back = try TestHost(pubSubs: ["bus": second]).make(PubSubSink.self, #"{"pubsub": "bus", "channel": "notifications"}"#)
        _ = try await back.write([record(200)], of: place, covering: 200..<201)
        try await here.wait(for: 103)
        #expect(here.messages.last?.previousOffset == 199)
        try await there.wait(for: 103)
        await second.close()
        await first.close()
    }

    @Test func theHostThatConnectsKnowsWhenTheOtherWasAway() async throws {
        let port = try FreePort.take()
        let first = try TestHost().make(MemoryBus.self, #"{"listen": "127.0.0.1:\#(port)"}"#)
        try await first.open()
        let second = try TestHost().make(RedisPubSub.self, #"{"url": "redis://127.0.0.1:\#(port)", "reconnect_max_ms": 100}"#)
        try await second.open()
        let there = Inbox()
        _ = try await second.subscribe(to: "notifications", there.receive)
        try await first.publish([.sample("1")], to: "notifications")
        try await there.wait(for: 1)
        await first.close()
        try await first.open()
        #expect(try await there.wait(for: 2) == [.message("1"), .gap])
        try await first.publish([.sample("2")], to: "notifications")
        #expect(try await there.wait(for: 3).last == .message("2"))
        await second.close()
        await first.close()
    }
}
