import Martlet
import MartletTesting
import Pipelines
@testable import SSEPlugin
import Testing

/// How connections begin, idle, fall behind and end.
@Suite struct SSEConnectionTests {
    private let sse = SSEFixture()

    @Test func aSlowClientIsDisconnectedAndOthersAreNot() async throws {
        let host = TestHost(payloads: SimdjsonPayloadReader(), loops: sse.loops)
        let channel = try sse.channel(#", "buffer_bytes": 4096"#, host: host)
        try await channel.open(replay: sse.replay)
        let slow = try sse.connect(channel, "bob")
        let quick = try sse.connect(channel, "bob")
        slow.stall()
        for number in 0..<10 {
            _ = try await channel.deliver([sse.message("bob", String(repeating: "\(number)", count: 1_000))])
            sse.loops.run()
        }
        #expect(slow.isClosed)
        #expect(slow.queuedBytes == 0)
        #expect(sse.data(quick).count == 10)
        #expect(host.metrics.render().contains(#"martlet_sse_disconnects_total{channel="test",reason="slow"} 1"#))
        #expect(host.metrics.render().contains(#"martlet_sse_connections{channel="test"} 1"#))
        slow.leave()
        #expect(host.metrics.render().contains(#"martlet_sse_connections{channel="test"} 1"#))
    }

    @Test func aSlowClientThatCatchesUpIsWaitedFor() async throws {
        let payloads = (0..<50).map { "\($0)" + String(repeating: ".", count: 300) }
        for payload in payloads { _ = try sse.message("bob", payload) }
        let channel = try sse.channel(#", "buffer_bytes": 4096"#)
        try await channel.open(replay: sse.replay)
        let exchange = sse.request("bob", query: ["last_event_id": "earliest"])
        channel.routes[0].handle(exchange)
        await waitUntil {
            if exchange.stream == nil { sse.loops.turn(0) }
            return exchange.stream != nil
        }
        let bob = try #require(exchange.stream)
        bob.stall()
        await sse.settle {
            bob.drain(1)
            return sse.data(bob).count == 50
        }
        #expect(sse.data(bob) == payloads)
        #expect(!bob.isClosed)
    }

    @Test func aQuietConnectionHearsTheHeartbeat() async throws {
        let channel = try sse.channel(#", "heartbeat_seconds": 8"#)
        try await channel.open(replay: sse.replay)
        let bob = try sse.connect(channel, "bob")
        let start = sse.parsed(bob)
        sse.loops.advance(by: .seconds(17))
        #expect(sse.parsed(bob).comments >= start.comments + 1)
        #expect(sse.parsed(bob).lastEventID == start.lastEventID)
        // Others' events move the id that a quiet client resumes from.
        _ = try await channel.deliver([sse.message("eve", "1")])
        sse.loops.run()
        sse.loops.advance(by: .seconds(17))
        #expect(sse.parsed(bob).lastEventID != start.lastEventID)
        #expect(sse.data(bob) == [])
    }

    @Test func limitsAreAnswered() async throws {
        let channel = try sse.channel(#", "max_connections": 3, "max_connections_per_key": 2"#)
        try await channel.open(replay: sse.replay)
        let first = try sse.connect(channel, "bob")
        _ = try sse.connect(channel, "bob", loop: 1)
        let third = sse.request("bob")
        channel.routes[0].handle(third)
        #expect(third.answer?.status == 429)
        _ = try sse.connect(channel, "eve")
        let fourth = sse.request("dan")
        channel.routes[0].handle(fourth)
        #expect(fourth.answer?.status == 503)
        #expect(fourth.answer?.headers.contains { $0.name == "Retry-After" } == true)
        first.leave()
        _ = try sse.connect(channel, "dan")
    }

    @Test(arguments: [
        ("text/event-stream", true), ("*/*", true), ("text/html, text/*;q=0.5", true), ("", true), ("application/json", false),
    ])
    func theAcceptHeaderIsHeeded(accept: String, isTaken: Bool) async throws {
        let channel = try sse.channel()
        try await channel.open(replay: sse.replay)
        let exchange = sse.request("bob", headers: [("Accept", accept)])
        channel.routes[0].handle(exchange)
        #expect((exchange.stream != nil) == isTaken)
        if !isTaken { #expect(exchange.answer?.status == 406) }
    }

    @Test func aRequestThatDoesNotSayWhoIsRefused() async throws {
        let channel = try sse.channel()
        try await channel.open(replay: sse.replay)
        let exchange = FakeExchange("GET")
        channel.routes[0].handle(exchange)
        #expect(exchange.answer?.status == 400)
    }

    @Test func beforeOpenAndAfterCloseTheAnswerIs503() async throws {
        let channel = try sse.channel()
        let early = sse.request("bob")
        channel.routes[0].handle(early)
        #expect(early.answer?.status == 503)
        await #expect(throws: ModuleError.self) { _ = try await channel.deliver([]) }
        sse.replay.fail(.transient("log.away", "away"))
        await #expect(throws: ModuleError.self) { try await channel.open(replay: sse.replay) }
        sse.replay.fail(nil)
        try await channel.open(replay: sse.replay)
        let bob = try sse.connect(channel, "bob")
        async let closed: Void = channel.close()
        await sse.settle { bob.isClosed }
        await closed
        await channel.close()
        let late = sse.request("bob")
        channel.routes[0].handle(late)
        #expect(late.answer?.status == 503)
    }

    @Test func drainingStaggersTheReturn() async throws {
        let channel = try sse.channel(#", "retry_ms": 1000"#)
        try await channel.open(replay: sse.replay)
        let streams = try (0..<100).map { try sse.connect(channel, "user-\($0)") }
        async let drained: Void = channel.drain(within: .seconds(5))
        await sse.settle { streams.allSatisfy(\.isClosed) }
        await drained
        let waits = streams.compactMap { sse.parsed($0).retry }
        #expect(waits.count == 100)
        #expect(Set(waits).count > 40)
        #expect(waits.min() == 1_000)
        #expect((waits.max() ?? 0) <= 1_050)
        let late = sse.request("bob")
        channel.routes[0].handle(late)
        #expect(late.answer?.status == 503)
    }
}
