import Martlet
import MartletTesting
import Pipelines
@testable import SSEPlugin
import Testing

/// What a channel makes of its config and of messages.
@Suite struct SSEChannelTests {
    private let sse = SSEFixture()

    @Test func messagesReachThoseTheyMatchOnEveryLoop() async throws {
        let channel = try sse.channel(#", "event_name": "like", "retry_ms": 1234"#)
        try await channel.open(replay: sse.replay)
        let bob = try sse.connect(channel, "bob")
        let bobToo = try sse.connect(channel, "bob", loop: 1)
        let eve = try sse.connect(channel, "eve", loop: 1)
        _ = try await channel.deliver([sse.message("bob", "1"), sse.message("eve", "2", partition: 1), sse.message("bob", "3")])
        sse.loops.run()
        #expect(sse.data(bob) == ["1", "3"])
        #expect(sse.data(bobToo) == ["1", "3"])
        #expect(sse.data(eve) == ["2"])
        #expect(sse.parsed(bob).events.map(\.name) == ["like", "like"])
        #expect(sse.parsed(bob).events.map(\.id) == sse.parsed(bobToo).events.map(\.id))
        #expect(sse.parsed(bob).retry == 1_234)
        #expect(bob.status == 200)
        #expect(bob.headers.map(\.value) == ["text/event-stream", "no-store", "no"])
    }

    @Test func redeliveredMessagesAreNotSeenTwice() async throws {
        let channel = try sse.channel()
        try await channel.open(replay: sse.replay)
        let bob = try sse.connect(channel, "bob")
        let batch = [try sse.message("bob", "1"), try sse.message("bob", "2")]
        _ = try await channel.deliver(batch)
        _ = try await channel.deliver(batch)
        sse.loops.run()
        #expect(sse.data(bob) == ["1", "2"])
    }

    @Test func aReplayNeedsTheKey() async throws {
        let host = TestHost(payloads: SimdjsonPayloadReader(), loops: sse.loops)
        let channel = try host.make(
            SSEChannel.self, #"{ "path": "/s", "match": { "message": "${/to}", "connection": "${@query.to}" } }"#)
        #expect(channel.replayRefusal?.contains("${@key}") == true)
        await #expect(throws: ModuleError.self) { try await channel.open(replay: sse.replay) }
        try await channel.open(replay: nil)
        let exchange = FakeExchange("GET", query: ["to": "bob"])
        channel.routes[0].handle(exchange)
        _ = try await channel.deliver([sse.message("x", #"{"to":"bob"}"#), sse.message("x", #"{"to":"eve"}"#), sse.message("x", "{}")])
        sse.loops.run()
        #expect(sse.data(try #require(exchange.stream)) == [#"{"to":"bob"}"#])
    }

    @Test func withoutMatchEverybodyGetsAll() async throws {
        let host = TestHost(payloads: SimdjsonPayloadReader(), loops: sse.loops)
        let channel = try host.make(SSEChannel.self, #"{ "path": "/all", "max_connections_per_key": 1 }"#)
        #expect(channel.replayRefusal == nil)
        try await channel.open(replay: sse.replay)
        let first = try sse.connect(channel, "")
        let second = try sse.connect(channel, "", loop: 1)
        _ = try await channel.deliver([sse.message("bob", "1"), sse.message("eve", "2", partition: 1)])
        sse.loops.run()
        #expect(sse.data(first) == ["1", "2"])
        #expect(sse.data(second) == ["1", "2"])
        second.leave()
        _ = try await channel.deliver([sse.message("dan", "3")])
        let again = try await sse.resume(channel, "", headers: [("last-event-id", sse.parsed(second).lastEventID)])
        await sse.settle { sse.data(again) == ["3"] }
    }

    @Test func theReadmeExampleDecodes() throws {
        let host = TestHost(payloads: SimdjsonPayloadReader(), loops: sse.loops)
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
}
