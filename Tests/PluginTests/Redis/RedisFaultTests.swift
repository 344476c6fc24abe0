import Foundation
import Martlet
import MartletTesting
import RedisPlugin
import TestSupport
import Testing

/// A server that goes away, hangs or refuses.
struct RedisFaultTests {
    private func bus(_ url: String, _ fields: String = "", host: TestHost = TestHost()) throws -> RedisPubSub {
        try host.make(
            RedisPubSub.self,
            #"{"url": "\#(url)", "reconnect_max_ms": 100, "connect_timeout_ms": 500, "command_timeout_ms": 300, "ping_interval_ms": 100\#(fields)}"#)
    }

    @Test func aServerThatIsAwayIsTriedAgain() async throws {
        let server = try RedisServer()
        server.stop()
        let bus = try bus(server.url)
        let error = await #expect(throws: ModuleError.self) { try await bus.open() }
        #expect(error?.kind == .transient && error?.code == "redis.connection")
        #expect(error?.message == "no connection to Redis at 127.0.0.1:\(server.port): Connection refused")
        try server.start()
        try await bus.open()
        await bus.close()
        await bus.close()
    }

    @Test func aRestartedServerIsSubscribedToAgainWithAGap() async throws {
        let server = try RedisServer()
        let (sender, receiver) = (try bus(server.url), try bus(server.url))
        try await sender.open()
        try await receiver.open()
        let (plain, pattern) = (Inbox(), Inbox())
        _ = try await receiver.subscribe(to: "c", plain.receive)
        _ = try await receiver.subscribe(to: "c*", pattern.receive)
        try await sender.publish([.sample("before")], to: "c")
        try await plain.wait(for: 1)
        server.stop()
        let error = try await eventually("a failure") { await failure { try await sender.publish([.sample("lost")], to: "c") } }
        #expect(error.kind == .transient)
        try server.start()
        #expect(try await plain.wait(for: 2).last == .gap)
        #expect(try await pattern.wait(for: 2).last == .gap)
        try await eventually { try await sender.publish([.sample("after")], to: "c") }
        #expect(try await plain.wait(for: 3) == [.message("before"), .gap, .message("after")])
        #expect(try await pattern.wait(for: 3) == [.message("before"), .gap, .message("after")])
        await sender.close()
        await receiver.close()
    }

    @Test func aServerThatHangsIsGivenUp() async throws {
        let server = try RedisServer()
        let host = TestHost()
        let bus = try bus(server.url, host: host)
        try await bus.open()
        let inbox = Inbox()
        _ = try await bus.subscribe(to: "c", inbox.receive)
        server.freeze()
        let error = await #expect(throws: ModuleError.self) { try await bus.publish([.sample("1")], to: "c") }
        #expect(error?.kind == .transient && error?.message.contains("command_timeout_ms") == true)
        // The subscriber's connection is idle, and found dead by its PING.
        try await eventually {
            let metrics = host.metrics.render()
            try NotYet.unless(metrics.contains(#"martlet_redis_connected{pubsub="test",connection="subscriber"} 0"#), metrics)
        }
        server.thaw()
        try await inbox.wait { $0.contains(.gap) }
        try await eventually { try await bus.publish([.sample("3")], to: "c") }
        #expect(try await inbox.wait { $0.last == .message("3") }.contains(.gap))
        await bus.close()
    }

    @Test func anIdleConnectionStaysUp() async throws {
        let server = try RedisServer()
        let bus = try bus(server.url)
        try await bus.open()
        let inbox = Inbox()
        _ = try await bus.subscribe(to: "c", inbox.receive)
        // Both connections have been pinged several times.
        try await eventually {
            let calls = try server.cli("INFO", "commandstats").split(separator: "\r\n").joined(separator: "\n")
                .split(separator: "\n").first { $0.hasPrefix("cmdstat_ping:calls=") }
            let count = calls?.dropFirst("cmdstat_ping:calls=".count).prefix { $0 != "," }
            try NotYet.unless((count.flatMap { Int($0) } ?? 0) >= 8)
        }
        try await bus.publish([.sample("1")], to: "c")
        #expect(try await inbox.wait(for: 1) == [.message("1")])
        await bus.close()
    }

    @Test func aPasswordLogsIn() async throws {
        let server = try RedisServer(["requirepass s3cret/%", "user ann on >pä:ss &* +@all"])
        for fields in [
            #"{"url": "redis://:s3cret%2F%25@127.0.0.1:\#(server.port)"}"#,
            #"{"url": "\#(server.url)", "password": "s3cret/%"}"#,
            #"{"url": "redis://ann:p%C3%A4%3Ass@127.0.0.1:\#(server.port)"}"#,
            #"{"url": "\#(server.url)", "user": "ann", "password": "pä:ss"}"#,
        ] {
            let bus = try TestHost().make(RedisPubSub.self, fields)
            try await bus.open()
            try await bus.publish([.sample("1")], to: "c")
            await bus.close()
        }
    }

    @Test(arguments: [
        ("", "redis.login", "NOAUTH"), (#", "password": "wr0ng""#, "redis.login", "WRONGPASS"),
        (#", "user": "nobody", "password": "wr0ng""#, "redis.login", "WRONGPASS"),
    ])
    func aRefusedLoginBlocks(fields: String, code: String, word: String) async throws {
        let server = try RedisServer(["requirepass s3cret"])
        let lines = Lines()
        let host = TestHost(log: lines.append)
        let bus = try bus(server.url, fields, host: host)
        let error = await #expect(throws: ModuleError.self) { try await bus.open() }
        #expect(error?.kind == .blocked && error?.code == code)
        #expect(error?.message.contains(word) == true)
        #expect(error?.message.contains("wr0ng") == false)
        #expect(lines.count(of: code) > 0)
        #expect(lines.count(of: "wr0ng") == 0)
        await bus.close()
    }

    @Test func aLoginWithoutNeedIsRefusedClearly() async throws {
        let server = try RedisServer()
        let bus = try bus(server.url, #", "password": "any""#)
        let error = await #expect(throws: ModuleError.self) { try await bus.open() }
        #expect(error?.kind == .blocked && error?.code == "redis.login")
    }

    @Test func aMissingPermissionBlocks() async throws {
        let server = try RedisServer(["user ann on >secret &allowed +ping +publish +subscribe +psubscribe"])
        let bus = try bus(server.url, #", "user": "ann", "password": "secret""#)
        try await bus.open()
        let publishing = await #expect(throws: ModuleError.self) {
            try await bus.publish([.sample("1"), .sample("2")], to: "other")
        }
        #expect(publishing?.kind == .blocked && publishing?.code == "redis.permission")
        let inbox = Inbox()
        let subscribing = await #expect(throws: ModuleError.self) { _ = try await bus.subscribe(to: "other", inbox.receive) }
        #expect(subscribing?.kind == .blocked && subscribing?.message.contains("to subscribe to other") == true)
        _ = try await bus.subscribe(to: "allowed", inbox.receive)
        try await bus.publish([.sample("1")], to: "allowed")
        #expect(try await inbox.wait(for: 1) == [.message("1")])
        await bus.close()
    }

    @Test func aPasswordThatChangesShowsInTheNextErrors() async throws {
        let server = try RedisServer(["requirepass old"])
        let bus = try bus(server.url, #", "password": "old""#)
        try await bus.open()
        try server.cli("-a", "old", "--no-auth-warning", "CONFIG", "SET", "requirepass", "new")
        try server.cli("-a", "new", "--no-auth-warning", "CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
        try await eventually("a refused login") { await failure { try await bus.publish([.sample("1")], to: "c") }?.kind == .blocked }
        try server.cli("-a", "new", "--no-auth-warning", "CONFIG", "SET", "requirepass", "old")
        try await eventually { try await bus.publish([.sample("1")], to: "c") }
        await bus.close()
    }

    @Test func theLimitOnSubscriptionsIsAClearError() async throws {
        let server = try RedisServer()
        let bus = try bus(server.url, #", "max_subscriptions": 2"#)
        try await bus.open()
        let inbox = Inbox()
        let first = try await bus.subscribe(to: "a", inbox.receive)
        _ = try await bus.subscribe(to: "a", inbox.receive)
        let error = await #expect(throws: ModuleError.self) { _ = try await bus.subscribe(to: "b", inbox.receive) }
        #expect(error?.kind == .blocked && error?.code == "redis.too_many_subscriptions")
        first.cancel()
        _ = try await bus.subscribe(to: "b", inbox.receive)
        await bus.close()
    }

    @Test func aClosedBusRefuses() async throws {
        let server = try RedisServer()
        let bus = try bus(server.url)
        let early = await #expect(throws: ModuleError.self) { try await bus.publish([.sample("1")], to: "c") }
        #expect(early?.code == "redis.closed")
        try await bus.open()
        let inbox = Inbox()
        let subscription = try await bus.subscribe(to: "c", inbox.receive)
        await bus.close()
        subscription.cancel()
        let late = await #expect(throws: ModuleError.self) { _ = try await bus.subscribe(to: "c", inbox.receive) }
        #expect(late?.code == "redis.closed")
    }
}
