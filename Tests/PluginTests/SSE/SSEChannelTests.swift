import Martlet
import MartletTesting
import Pipelines
@testable import SSEPlugin
import Testing

/// The whole channel on loops that the test runs.
@Suite struct SSEChannelTests {
    private static let topic: TopicName = "t"
    private let loops = ManualLoops(count: 2)
    private let replay = MemoryReplay([("t", 2)])

    private func channel(_ fields: String = "", host: TestHost? = nil) throws -> SSEChannel {
        let host = host ?? TestHost(payloads: SimdjsonPayloadReader(), loops: loops)
        let config = #"{ "path": "/s/{user}", "match": { "message": "${@key}", "connection": "${@path.user}" }"# + fields + " }"
        return try host.make(SSEChannel.self, config)
    }

    private func request(
        _ user: String, loop: Int = 0, query: [String: String] = [:], headers: [(name: String, value: String)] = []
    ) -> FakeExchange {
        FakeExchange("GET", path: ["user": user], query: query, headers: headers, loopIndex: loop)
    }

    private func connect(
        _ channel: SSEChannel, _ user: String, loop: Int = 0, query: [String: String] = [:],
        headers: [(name: String, value: String)] = []
    ) throws -> FakeStream {
        let exchange = request(user, loop: loop, query: query, headers: headers)
        channel.routes[0].handle(exchange)
        loops.run()
        return try #require(exchange.stream, "the answer was \(exchange.answer?.status ?? 0)")
    }

    /// A stream that resumes: it opens once the log has said where it stands.
    private func resume(
        _ channel: SSEChannel, _ user: String, loop: Int = 0, query: [String: String] = [:],
        headers: [(name: String, value: String)] = []
    ) async throws -> FakeStream {
        let exchange = request(user, loop: loop, query: query, headers: headers)
        channel.routes[0].handle(exchange)
        await waitUntil {
            loops.run()
            return exchange.stream != nil || exchange.answer != nil
        }
        loops.run()
        return try #require(exchange.stream, "the answer was \(exchange.answer?.status ?? 0)")
    }

    /// Appends an event, and returns its message as the group would publish it.
    private func message(_ key: String, _ payload: String, partition: PartitionID = 0) throws -> Message {
        let previous = try replay.ends()[0].offsets[Int(partition)] - 1
        let event = Event(id: Bytes("id-\(payload)"), key: Bytes(key), payload: Bytes(payload), timestamp: 0)
        return Message(record: replay.append(event, to: Self.topic, partition: partition), previousOffset: previous)
    }

    private func parsed(_ stream: FakeStream) -> EventStreamParser {
        var parser = EventStreamParser()
        parser.take(stream.text)
        return parser
    }

    private func data(_ stream: FakeStream) -> [String] { parsed(stream).events.map(\.data) }

    // MARK: Delivering

    @Test func messagesReachThoseTheyMatchOnEveryLoop() async throws {
        let channel = try channel(#", "event_name": "like", "retry_ms": 1234"#)
        try await channel.open(replay: replay)
        let bob = try connect(channel, "bob")
        let bobToo = try connect(channel, "bob", loop: 1)
        let eve = try connect(channel, "eve", loop: 1)
        _ = try await channel.deliver([message("bob", "1"), message("eve", "2", partition: 1), message("bob", "3")])
        loops.run()
        #expect(data(bob) == ["1", "3"])
        #expect(data(bobToo) == ["1", "3"])
        #expect(data(eve) == ["2"])
        #expect(parsed(bob).events.map(\.name) == ["like", "like"])
        #expect(parsed(bob).events.map(\.id) == parsed(bobToo).events.map(\.id))
        #expect(parsed(bob).retry == 1_234)
        #expect(bob.status == 200)
        #expect(bob.headers.map(\.value) == ["text/event-stream", "no-store", "no"])
    }

    @Test func redeliveredMessagesAreNotSeenTwice() async throws {
        let channel = try channel()
        try await channel.open(replay: replay)
        let bob = try connect(channel, "bob")
        let batch = [try message("bob", "1"), try message("bob", "2")]
        _ = try await channel.deliver(batch)
        _ = try await channel.deliver(batch)
        loops.run()
        #expect(data(bob) == ["1", "2"])
    }

    @Test func aClientResumesWhereItLeft() async throws {
        let channel = try channel()
        try await channel.open(replay: replay)
        let first = try connect(channel, "bob")
        _ = try await channel.deliver([message("bob", "1")])
        loops.run()
        first.leave()
        _ = try await channel.deliver([message("bob", "2"), message("eve", "x"), message("bob", "3", partition: 1)])
        loops.run()
        let again = try await resume(channel, "bob", loop: 1, headers: [("last-event-id", parsed(first).lastEventID)])
        await settle { self.data(again).count == 2 }
        #expect(Set(data(again)) == ["2", "3"])
        // It is live now, and its ids are everybody's again.
        let other = try connect(channel, "bob")
        _ = try await channel.deliver([message("bob", "4")])
        loops.run()
        #expect(data(again).last == "4")
        #expect(parsed(again).lastEventID == parsed(other).lastEventID)
    }

    @Test func aClientThatDropsBeforeItsFirstEventResumes() async throws {
        let channel = try channel()
        try await channel.open(replay: replay)
        let first = try connect(channel, "bob")
        first.leave()
        _ = try await channel.deliver([message("bob", "1")])
        loops.run()
        let again = try await resume(channel, "bob", query: ["last_event_id": parsed(first).lastEventID])
        await settle { self.data(again) == ["1"] }
    }

    @Test func earliestBeginsWithWhatIsKept() async throws {
        _ = try (0..<1_200).map { try message("bob", "\($0)") }
        let channel = try channel()
        try await channel.open(replay: replay)
        let bob = try await resume(channel, "bob", query: ["last_event_id": "earliest"])
        await settle { self.data(bob).count == 1_200 }
        #expect(data(bob) == (0..<1_200).map(String.init))
    }

    @Test func whatTheBusLostIsRereadForEverybody() async throws {
        let channel = try channel()
        try await channel.open(replay: replay)
        let bob = try connect(channel, "bob")
        let eve = try connect(channel, "eve", loop: 1)
        _ = try message("bob", "lost")
        _ = try message("eve", "lost too")
        _ = try await channel.deliver([message("bob", "2")])
        await settle { self.data(bob).count == 2 && self.data(eve).count == 1 }
        #expect(data(bob) == ["lost", "2"])
        // And at the end of a partition, once the bus says so.
        _ = try message("bob", "lost at the end")
        channel.mayHaveMissedMessages()
        await settle { self.data(bob).count == 3 }
    }

    @Test func aRepairGoesOnWhenTheLogIsBack() async throws {
        let channel = try channel()
        try await channel.open(replay: replay)
        let bob = try connect(channel, "bob")
        _ = try message("bob", "lost")
        replay.fail(.transient("log.away", "away"))
        channel.mayHaveMissedMessages()
        replay.fail(nil)
        await settle { self.data(bob) == ["lost"] }
    }

    // MARK: Gaps

    @Test func whatRetentionTookIsAGap() async throws {
        let channel = try channel()
        try await channel.open(replay: replay)
        let first = try connect(channel, "bob")
        first.leave()
        _ = try await channel.deliver([message("bob", "1"), message("bob", "2"), message("bob", "3")])
        replay.remove(before: 2, topic: Self.topic, partition: 0)
        loops.run()
        let again = try await resume(channel, "bob", headers: [("last-event-id", parsed(first).lastEventID)])
        await settle { self.parsed(again).events.count == 2 }
        let events = parsed(again).events
        #expect(events.map(\.name) == ["gap", "message"])
        #expect(events[0].data == "{\"reason\":\"retention\",\"first_kept\":\"\(events[0].id)\"}")
        #expect(events[1].data == "3")
    }

    @Test func anUnknownIDGoesOnLiveWithAGap() async throws {
        let channel = try channel()
        try await channel.open(replay: replay)
        let bob = try connect(channel, "bob", headers: [("last-event-id", "who-knows")])
        _ = try await channel.deliver([message("bob", "1")])
        loops.run()
        let events = parsed(bob).events
        #expect(events.map(\.name) == ["gap", "message"])
        #expect(events[0].data.hasPrefix("{\"reason\":\"unknown_id\""))
    }

    @Test func withoutAReplayIDsAreTheEventsOwn() async throws {
        let channel = try channel()
        try await channel.open(replay: nil)
        let bob = try connect(channel, "bob", headers: [("last-event-id", "id-0")])
        _ = try await channel.deliver([message("bob", "1")])
        channel.mayHaveMissedMessages()
        loops.run()
        #expect(parsed(bob).events == [
            .init(name: "message", data: "1", id: "id-1"),
            .init(name: "gap", data: "{\"reason\":\"lost\"}", id: "id-1"),
        ])
    }

    // MARK: Slow clients

    @Test func aSlowClientIsDisconnectedAndOthersAreNot() async throws {
        let host = TestHost(payloads: SimdjsonPayloadReader(), loops: loops)
        let channel = try channel(#", "buffer_bytes": 4096"#, host: host)
        try await channel.open(replay: replay)
        let slow = try connect(channel, "bob")
        let quick = try connect(channel, "bob")
        slow.stall()
        for number in 0..<10 {
            _ = try await channel.deliver([message("bob", String(repeating: "\(number)", count: 1_000))])
            loops.run()
        }
        #expect(slow.isClosed)
        #expect(slow.queuedBytes == 0)
        #expect(data(quick).count == 10)
        #expect(host.metrics.render().contains(#"martlet_sse_disconnects_total{channel="test",reason="slow"} 1"#))
        #expect(host.metrics.render().contains(#"martlet_sse_connections{channel="test"} 1"#))
        slow.leave()
        #expect(host.metrics.render().contains(#"martlet_sse_connections{channel="test"} 1"#))
    }

    @Test func aSlowClientThatCatchesUpIsWaitedFor() async throws {
        let payloads = (0..<50).map { "\($0)" + String(repeating: ".", count: 300) }
        for payload in payloads { _ = try message("bob", payload) }
        let channel = try channel(#", "buffer_bytes": 4096"#)
        try await channel.open(replay: replay)
        let exchange = request("bob", query: ["last_event_id": "earliest"])
        channel.routes[0].handle(exchange)
        await waitUntil {
            if exchange.stream == nil { loops.turn(0) }
            return exchange.stream != nil
        }
        let bob = try #require(exchange.stream)
        bob.stall()
        await settle {
            bob.drain(1)
            return self.data(bob).count == 50
        }
        #expect(data(bob) == payloads)
        #expect(!bob.isClosed)
    }

    // MARK: Heartbeat

    @Test func aQuietConnectionHearsTheHeartbeat() async throws {
        let channel = try channel(#", "heartbeat_seconds": 8"#)
        try await channel.open(replay: replay)
        let bob = try connect(channel, "bob")
        let start = parsed(bob)
        loops.advance(by: .seconds(17))
        #expect(parsed(bob).comments >= start.comments + 1)
        #expect(parsed(bob).lastEventID == start.lastEventID)
        // Others' events move the id that a quiet client resumes from.
        _ = try await channel.deliver([message("eve", "1")])
        loops.run()
        loops.advance(by: .seconds(17))
        #expect(parsed(bob).lastEventID != start.lastEventID)
        #expect(data(bob) == [])
    }

    // MARK: Limits and refusals

    @Test func limitsAreAnswered() async throws {
        let channel = try channel(#", "max_connections": 3, "max_connections_per_key": 2"#)
        try await channel.open(replay: replay)
        let first = try connect(channel, "bob")
        _ = try connect(channel, "bob", loop: 1)
        let third = request("bob")
        channel.routes[0].handle(third)
        #expect(third.answer?.status == 429)
        _ = try connect(channel, "eve")
        let fourth = request("dan")
        channel.routes[0].handle(fourth)
        #expect(fourth.answer?.status == 503)
        #expect(fourth.answer?.headers.contains { $0.name == "Retry-After" } == true)
        first.leave()
        _ = try connect(channel, "dan")
    }

    @Test(arguments: [
        ("text/event-stream", true), ("*/*", true), ("text/html, text/*;q=0.5", true), ("", true), ("application/json", false),
    ])
    func theAcceptHeaderIsHeeded(accept: String, isTaken: Bool) async throws {
        let channel = try channel()
        try await channel.open(replay: replay)
        let exchange = request("bob", headers: [("Accept", accept)])
        channel.routes[0].handle(exchange)
        #expect((exchange.stream != nil) == isTaken)
        if !isTaken { #expect(exchange.answer?.status == 406) }
    }

    @Test func aRequestThatDoesNotSayWhoIsRefused() async throws {
        let channel = try channel()
        try await channel.open(replay: replay)
        let exchange = FakeExchange("GET")
        channel.routes[0].handle(exchange)
        #expect(exchange.answer?.status == 400)
    }

    @Test func beforeOpenAndAfterCloseTheAnswerIs503() async throws {
        let channel = try channel()
        let early = request("bob")
        channel.routes[0].handle(early)
        #expect(early.answer?.status == 503)
        await #expect(throws: ModuleError.self) { _ = try await channel.deliver([]) }
        replay.fail(.transient("log.away", "away"))
        await #expect(throws: ModuleError.self) { try await channel.open(replay: replay) }
        replay.fail(nil)
        try await channel.open(replay: replay)
        let bob = try connect(channel, "bob")
        async let closed: Void = channel.close()
        await settle { bob.isClosed }
        await closed
        await channel.close()
        let late = request("bob")
        channel.routes[0].handle(late)
        #expect(late.answer?.status == 503)
    }

    @Test func aResumeWaitsForALogThatIsAway() async throws {
        let channel = try channel()
        try await channel.open(replay: replay)
        let first = try connect(channel, "bob")
        let id = parsed(first).lastEventID
        first.leave()
        _ = try await channel.deliver([try message("bob", "missed")])
        loops.run()
        replay.fail(.transient("log.away", "away"))
        let exchange = request("bob", headers: [("last-event-id", id)])
        channel.routes[0].handle(exchange)
        loops.run()
        #expect(exchange.answer == nil && exchange.stream == nil)
        _ = try connect(channel, "eve")
        replay.fail(nil)
        await settle { exchange.stream.map { data($0) == ["missed"] } ?? false }
        #expect(exchange.stream.map { data($0) } == ["missed"])
    }

    @Test func aResumeWhoseChannelClosesIsToldToComeBack() async throws {
        let channel = try channel()
        try await channel.open(replay: replay)
        let id = parsed(try connect(channel, "bob")).lastEventID
        replay.fail(.transient("log.away", "away"))
        let exchange = request("bob", headers: [("last-event-id", id)])
        channel.routes[0].handle(exchange)
        loops.run()
        async let closed: Void = channel.close()
        await settle { exchange.stream?.isClosed == true }
        await closed
        let stream = try #require(exchange.stream)
        #expect(parsed(stream).retry == 3_000)
        #expect(parsed(stream).lastEventID == "")
    }

    // MARK: Drain

    @Test func drainingStaggersTheReturn() async throws {
        let channel = try channel(#", "retry_ms": 1000"#)
        try await channel.open(replay: replay)
        let streams = try (0..<100).map { try connect(channel, "user-\($0)") }
        async let drained: Void = channel.drain(within: .seconds(5))
        await settle { streams.allSatisfy(\.isClosed) }
        await drained
        let waits = streams.compactMap { parsed($0).retry }
        #expect(waits.count == 100)
        #expect(Set(waits).count > 40)
        #expect(waits.min() == 1_000)
        #expect((waits.max() ?? 0) <= 1_050)
        let late = request("bob")
        channel.routes[0].handle(late)
        #expect(late.answer?.status == 503)
    }

    // MARK: Config

    @Test func aReplayNeedsTheKey() async throws {
        let host = TestHost(payloads: SimdjsonPayloadReader(), loops: loops)
        let channel = try host.make(
            SSEChannel.self, #"{ "path": "/s", "match": { "message": "${/to}", "connection": "${@query.to}" } }"#)
        #expect(channel.replayRefusal?.contains("${@key}") == true)
        await #expect(throws: ModuleError.self) { try await channel.open(replay: replay) }
        try await channel.open(replay: nil)
        let exchange = FakeExchange("GET", query: ["to": "bob"])
        channel.routes[0].handle(exchange)
        _ = try await channel.deliver([message("x", #"{"to":"bob"}"#), message("x", #"{"to":"eve"}"#), message("x", "{}")])
        loops.run()
        #expect(data(try #require(exchange.stream)) == [#"{"to":"bob"}"#])
    }

    @Test func withoutMatchEverybodyGetsAll() async throws {
        let host = TestHost(payloads: SimdjsonPayloadReader(), loops: loops)
        let channel = try host.make(SSEChannel.self, #"{ "path": "/all", "max_connections_per_key": 1 }"#)
        #expect(channel.replayRefusal == nil)
        try await channel.open(replay: replay)
        let first = try connect(channel, "")
        let second = try connect(channel, "", loop: 1)
        _ = try await channel.deliver([message("bob", "1"), message("eve", "2", partition: 1)])
        loops.run()
        #expect(data(first) == ["1", "2"])
        #expect(data(second) == ["1", "2"])
        second.leave()
        _ = try await channel.deliver([message("dan", "3")])
        let again = try await resume(channel, "", headers: [("last-event-id", parsed(second).lastEventID)])
        await settle { self.data(again) == ["3"] }
    }

    @Test func theReadmeExampleDecodes() throws {
        let host = TestHost(payloads: SimdjsonPayloadReader(), loops: loops)
        let channel = try host.make(SSEChannel.self, ReadmeExample.json(of: "SSE"), reserved: ModuleKind.channel.reservedKeys)
        #expect(channel.routes.map(\.method) == ["GET", "HEAD"])
    }

    @Test func badConfigsAreReported() throws {
        let error = #expect(throws: ConfigError.self) {
            try TestHost().make(SSEChannel.self, #"{ "path": "s", "heartbeat_seconds": 0, "evnt_name": "x" }"#)
        }
        let text = error?.description ?? ""
        #expect(text.contains("heartbeat_seconds: must be from 1 to 3600 seconds, found 0"), "\(text)")
        #expect(text.contains("unknown key `evnt_name`; did you mean `event_name`?"), "\(text)")
    }

    /// Runs the loops, and their timers, until a condition holds.
    private func settle(_ condition: () -> Bool) async {
        await waitUntil {
            loops.advance(by: .milliseconds(2))
            return condition()
        }
    }
}
