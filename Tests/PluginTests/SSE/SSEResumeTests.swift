import Martlet
import MartletTesting
import Pipelines
@testable import SSEPlugin
import Testing

/// Clients that come back, and what the bus or the log lost meanwhile.
@Suite struct SSEResumeTests {
    private let sse = SSEFixture()

    @Test func aClientResumesWhereItLeft() async throws {
        let channel = try sse.channel()
        try await channel.open(replay: sse.replay)
        let first = try sse.connect(channel, "bob")
        _ = try await channel.deliver([sse.message("bob", "1")])
        sse.loops.run()
        first.leave()
        _ = try await channel.deliver([sse.message("bob", "2"), sse.message("eve", "x"), sse.message("bob", "3", partition: 1)])
        sse.loops.run()
        let again = try await sse.resume(channel, "bob", loop: 1, headers: [("last-event-id", sse.parsed(first).lastEventID)])
        await sse.settle { sse.data(again).count == 2 }
        #expect(Set(sse.data(again)) == ["2", "3"])
        // It is live now, and its ids are everybody's again.
        let other = try sse.connect(channel, "bob")
        _ = try await channel.deliver([sse.message("bob", "4")])
        sse.loops.run()
        #expect(sse.data(again).last == "4")
        #expect(sse.parsed(again).lastEventID == sse.parsed(other).lastEventID)
    }

    @Test func aClientThatDropsBeforeItsFirstEventResumes() async throws {
        let channel = try sse.channel()
        try await channel.open(replay: sse.replay)
        let first = try sse.connect(channel, "bob")
        first.leave()
        _ = try await channel.deliver([sse.message("bob", "1")])
        sse.loops.run()
        let again = try await sse.resume(channel, "bob", query: ["last_event_id": sse.parsed(first).lastEventID])
        await sse.settle { sse.data(again) == ["1"] }
    }

    @Test func earliestBeginsWithWhatIsKept() async throws {
        _ = try (0..<1_200).map { try sse.message("bob", "\($0)") }
        let channel = try sse.channel()
        try await channel.open(replay: sse.replay)
        let bob = try await sse.resume(channel, "bob", query: ["last_event_id": "earliest"])
        await sse.settle { sse.data(bob).count == 1_200 }
        #expect(sse.data(bob) == (0..<1_200).map(String.init))
    }

    @Test func whatTheBusLostIsRereadForEverybody() async throws {
        let channel = try sse.channel()
        try await channel.open(replay: sse.replay)
        let bob = try sse.connect(channel, "bob")
        let eve = try sse.connect(channel, "eve", loop: 1)
        _ = try sse.message("bob", "lost")
        _ = try sse.message("eve", "lost too")
        _ = try await channel.deliver([sse.message("bob", "2")])
        await sse.settle { sse.data(bob).count == 2 && sse.data(eve).count == 1 }
        #expect(sse.data(bob) == ["lost", "2"])
        // And at the end of a partition, once the bus says so.
        _ = try sse.message("bob", "lost at the end")
        channel.mayHaveMissedMessages()
        await sse.settle { sse.data(bob).count == 3 }
    }

    @Test func aRepairGoesOnWhenTheLogIsBack() async throws {
        let channel = try sse.channel()
        try await channel.open(replay: sse.replay)
        let bob = try sse.connect(channel, "bob")
        _ = try sse.message("bob", "lost")
        sse.replay.fail(.transient("log.away", "away"))
        channel.mayHaveMissedMessages()
        sse.replay.fail(nil)
        await sse.settle { sse.data(bob) == ["lost"] }
    }

    @Test func whatRetentionTookIsAGap() async throws {
        let channel = try sse.channel()
        try await channel.open(replay: sse.replay)
        let first = try sse.connect(channel, "bob")
        first.leave()
        _ = try await channel.deliver([sse.message("bob", "1"), sse.message("bob", "2"), sse.message("bob", "3")])
        sse.replay.remove(before: 2, topic: SSEFixture.topic, partition: 0)
        sse.loops.run()
        let again = try await sse.resume(channel, "bob", headers: [("last-event-id", sse.parsed(first).lastEventID)])
        await sse.settle { sse.parsed(again).events.count == 2 }
        let events = sse.parsed(again).events
        #expect(events.map(\.name) == ["gap", "message"])
        #expect(events[0].data == "{\"reason\":\"retention\",\"first_kept\":\"\(events[0].id)\"}")
        #expect(events[1].data == "3")
    }

    @Test func anUnknownIDGoesOnLiveWithAGap() async throws {
        let channel = try sse.channel()
        try await channel.open(replay: sse.replay)
        let bob = try sse.connect(channel, "bob", headers: [("last-event-id", "who-knows")])
        _ = try await channel.deliver([sse.message("bob", "1")])
        sse.loops.run()
        let events = sse.parsed(bob).events
        #expect(events.map(\.name) == ["gap", "message"])
        #expect(events[0].data.hasPrefix("{\"reason\":\"unknown_id\""))
    }

    @Test func withoutAReplayIDsAreTheEventsOwn() async throws {
        let channel = try sse.channel()
        try await channel.open(replay: nil)
        let bob = try sse.connect(channel, "bob", headers: [("last-event-id", "id-0")])
        _ = try await channel.deliver([sse.message("bob", "1")])
        channel.mayHaveMissedMessages()
        sse.loops.run()
        #expect(sse.parsed(bob).events == [
            .init(name: "message", data: "1", id: "id-1"),
            .init(name: "gap", data: "{\"reason\":\"lost\"}", id: "id-1"),
        ])
    }

    /// While clients come back one after the other, the log always ends a little further than the bus has brought.
    @Test func aBusThatIsAMomentBehindIsNotAway() async throws {
        let host = TestHost(payloads: SimdjsonPayloadReader(), loops: sse.loops)
        let channel = try sse.channel(host: host)
        try await channel.open(replay: sse.replay)
        let end = ContinuousClock.now + .milliseconds(2_200)
        while .now < end {
            let message = try sse.message("eve", "x")
            let bob = try await sse.resume(channel, "bob", query: ["last_event_id": "earliest"])
            _ = try await channel.deliver([message])
            bob.leave()
            sse.loops.run()
        }
        #expect(host.metrics.render().contains(#"martlet_sse_repairs_total{channel="test"} 0"#))
    }

    @Test func aResumeWaitsForALogThatIsAway() async throws {
        let channel = try sse.channel()
        try await channel.open(replay: sse.replay)
        let first = try sse.connect(channel, "bob")
        let id = sse.parsed(first).lastEventID
        first.leave()
        _ = try await channel.deliver([try sse.message("bob", "missed")])
        sse.loops.run()
        sse.replay.fail(.transient("log.away", "away"))
        let exchange = sse.request("bob", headers: [("last-event-id", id)])
        channel.routes[0].handle(exchange)
        sse.loops.run()
        #expect(exchange.answer == nil && exchange.stream == nil)
        _ = try sse.connect(channel, "eve")
        sse.replay.fail(nil)
        await sse.settle { exchange.stream.map { sse.data($0) == ["missed"] } ?? false }
        #expect(exchange.stream.map { sse.data($0) } == ["missed"])
    }

    @Test func aResumeWhoseChannelClosesIsToldToComeBack() async throws {
        let channel = try sse.channel()
        try await channel.open(replay: sse.replay)
        let id = sse.parsed(try sse.connect(channel, "bob")).lastEventID
        sse.replay.fail(.transient("log.away", "away"))
        let exchange = sse.request("bob", headers: [("last-event-id", id)])
        channel.routes[0].handle(exchange)
        sse.loops.run()
        async let closed: Void = channel.close()
        await sse.settle { exchange.stream?.isClosed == true }
        await closed
        let stream = try #require(exchange.stream)
        #expect(sse.parsed(stream).retry == 3_000)
        #expect(sse.parsed(stream).lastEventID == "")
    }
}
