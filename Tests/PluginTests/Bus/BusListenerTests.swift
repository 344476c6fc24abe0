import BusPlugin
import Foundation
import Martlet
import MartletTesting
import RedisPlugin
import TestSupport
import Testing

/// The listening bus against clients that were not made for it.
struct BusListenerTests {
    private let host = TestHost()

    private func listening(_ fields: String = "") async throws -> (bus: MemoryBus, port: Int) {
        let bus = try host.make(MemoryBus.self, #"{"listen": "127.0.0.1:0"\#(fields)}"#)
        try await bus.open()
        let address = try #require(bus.listenAddress)
        return (bus, try #require(Int(address.split(separator: ":")[1])))
    }

    private func cli(_ port: Int, _ arguments: String...) throws -> String {
        try RedisServer.cli(port: port, arguments)
    }

    @Test func redisCLITalksToIt() async throws {
        let (bus, port) = try await listening()
        #expect(try cli(port, "PING") == "PONG")
        #expect(try cli(port, "-3", "HELLO").contains("server"))
        #expect(try cli(port, "PUBLISH", "c", "nobody") == "0")
        let inbox = Inbox()
        let subscription = try await bus.subscribe(to: "c", inbox.receive)
        _ = try await bus.subscribe(to: "d*", inbox.receive)
        #expect(try cli(port, "PUBLISH", "c", "hello") == "1")
        #expect(try cli(port, "PUBLISH", "dd", "pattern") == "1")
        #expect(try await inbox.wait(for: 2) == [.message("hello"), .message("pattern")])
        #expect(inbox.messages[0].record.topic == "c" && inbox.messages[0].previousOffset == nil)
        #expect(try cli(port, "PUBSUB", "CHANNELS") == "c")
        #expect(try cli(port, "PUBSUB", "NUMSUB", "c", "x") == "c\n1\nx\n0")
        #expect(try cli(port, "PUBSUB", "NUMPAT") == "1")
        subscription.cancel()
        #expect(try cli(port, "PUBLISH", "c", "gone") == "0")
        #expect(try cli(port, "GET", "x").contains("ERR unknown command"))
        await bus.close()
    }

    @Test func redisPyTalksToIt() async throws {
        let (bus, port) = try await listening(#", "password": "s3cret""#)
        let script = """
            import sys, redis
            client = redis.Redis(port=\(port), password="s3cret", client_name="py", socket_timeout=10)
            assert client.ping()
            listener = client.pubsub()
            listener.subscribe("c")
            listener.psubscribe("d*")
            kinds = [listener.get_message(timeout=10)["type"] for _ in range(2)]
            assert kinds == ["subscribe", "psubscribe"], kinds
            assert client.publish("c", "from python") == 2
            message = listener.get_message(timeout=10)
            assert message["data"] == b"from python", message
            assert client.publish("dog", "woof") == 1
            message = listener.get_message(timeout=10)
            assert (message["type"], message["pattern"], message["channel"], message["data"]) == ("pmessage", b"d*", b"dog", b"woof"), message
            assert client.pubsub_channels("c*") == [b"c"]
            assert client.pubsub_numsub("c") == [(b"c", 2)]
            assert client.pubsub_numpat() == 1
            # What a Martlet host publishes: the payload's length is the ninth word of the first line.
            client.publish("ready", "go")
            head, body = listener.get_message(timeout=10)["data"].split(b"\\n", 1)
            print(body[:int(head.split()[8])].decode())
            listener.unsubscribe()
            listener.punsubscribe()
            kinds = [listener.get_message(timeout=10)["type"] for _ in range(2)]
            assert kinds == ["unsubscribe", "punsubscribe"], kinds
            """
        let (inbox, ready) = (Inbox(), Inbox())
        _ = try await bus.subscribe(to: "c", inbox.receive)
        _ = try await bus.subscribe(to: "ready", ready.receive)
        let output = Task.detached { try Program.run("/usr/bin/python3", ["-c", script]).output }
        try await ready.wait(for: 1)
        try await bus.publish([.sample(#"{"from": "swift"}"#)], to: "c")
        let text = try await output.value
        #expect(text == "{\"from\": \"swift\"}\n", "apt-get install python3-redis (scripts/install test) if it is missing")
        #expect(try await inbox.wait(for: 1).first == .message("from python"))
        await bus.close()
    }

    @Test func bothVersionsOfTheProtocolGetTheMessage() async throws {
        let (bus, port) = try await listening()
        let (two, three) = (try TestSocket(port: port), try TestSocket(port: port))
        two.send("SUBSCRIBE c")
        try two.read(until: "subscribe\r\n$1\r\nc\r\n:1\r\n")
        three.send("HELLO 3", "PSUBSCRIBE c*")
        #expect(try three.read(until: "$2\r\nc*\r\n:1\r\n").contains("$5\r\nproto\r\n:3\r\n"))
        #expect(try cli(port, "PUBLISH", "c", "x") == "2")
        #expect(try two.read(until: "x\r\n") == "*3\r\n$7\r\nmessage\r\n$1\r\nc\r\n$1\r\nx\r\n")
        #expect(try three.read(until: "x\r\n") == ">4\r\n$8\r\npmessage\r\n$2\r\nc*\r\n$1\r\nc\r\n$1\r\nx\r\n")
        // In RESP3 a subscriber publishes too, and hears itself first.
        three.send("PUBLISH c y")
        #expect(try three.read(until: ":2\r\n") == ">4\r\n$8\r\npmessage\r\n$2\r\nc*\r\n$1\r\nc\r\n$1\r\ny\r\n:2\r\n")
        await bus.close()
        #expect(two.readToEnd() > 0)
    }

    @Test func aSlowSubscriberIsCutOffAndDelaysNobody() async throws {
        let (bus, port) = try await listening(#", "max_queued_bytes": 100000"#)
        let slow = try TestSocket(port: port, receiveBuffer: 4_096)
        slow.send("CLIENT SETNAME slow", "SUBSCRIBE c")
        try slow.read(until: ":1\r\n")
        let quick = try host.make(RedisPubSub.self, #"{"url": "redis://127.0.0.1:\#(port)"}"#)
        try await quick.open()
        let inbox = Inbox()
        _ = try await quick.subscribe(to: "c", inbox.receive)
        let filler = String(repeating: "x", count: 1_000)
        var sent = 0
        while !host.metrics.render().contains(#"martlet_bus_slow_clients_total{pubsub="test"} 1"#) {
            try #require(sent < 100_000)
            try await bus.publish((0..<20).map { .sample("\(sent + $0) \(filler)") }, to: "c")
            sent += 20
            try await inbox.wait(for: sent)
        }
        // It gets what the kernel had, and the end.
        #expect(slow.readToEnd() < sent * 1_090)
        #expect(inbox.items.count == sent && !inbox.items.contains(.gap))
        await quick.close()
        await bus.close()
    }

    @Test func thereAreOnlySoManyConnections() async throws {
        let (bus, port) = try await listening(#", "max_connections": 2"#)
        let first = try TestSocket(port: port)
        first.send("PING")
        try first.read(until: "+PONG\r\n")
        do {
            let second = try TestSocket(port: port)
            second.send("PING")
            try second.read(until: "+PONG\r\n")
            let third = try TestSocket(port: port)
            #expect(try third.read(until: "\r\n") == "-ERR max number of clients reached\r\n")
            #expect(third.readToEnd() == 0)
            second.send("QUIT")
            #expect(try second.read(until: "\r\n") == "+OK\r\n")
            #expect(second.readToEnd() == 0)
        }
        let fourth = try TestSocket(port: port)
        fourth.send("PING")
        try fourth.read(until: "+PONG\r\n")
        await bus.close()
    }

    @Test func whatIsNoRequestIsAnsweredAndEnds() async throws {
        let (bus, port) = try await listening(#", "max_message_bytes": 1024"#)
        for (text, answer) in [
            ("*1\r\n:1", "-ERR Protocol error: expected '$'\r\n"),
            ("*3\r\n$7\r\nPUBLISH\r\n$1\r\nc\r\n$1025", "-ERR Protocol error: invalid bulk length\r\n"),
            ("GET / HTTP/1.1", "-ERR unknown command 'GET'\r\n"),
        ] {
            let client = try TestSocket(port: port)
            client.send(text)
            #expect(try client.read(until: "\r\n") == answer)
        }
        await bus.close()
    }

    @Test func beforeTheLoginRequestsAreSmall() async throws {
        let (bus, port) = try await listening(#", "password": "s3cret""#)
        let client = try TestSocket(port: port)
        client.send("*3\r\n$7\r\nPUBLISH\r\n$1\r\nc\r\n$20000")
        #expect(try client.read(until: "length\r\n") == "-ERR Protocol error: invalid bulk length\r\n")
        #expect(client.readToEnd() == 0)
        let good = try TestSocket(port: port)
        good.send("AUTH s3cret", "PUBLISH c x")
        try good.read(until: "+OK\r\n:0\r\n")
        await bus.close()
    }

    @Test func theLimitOnSubscriptionsCountsClientsToo() async throws {
        let (bus, port) = try await listening(#", "max_subscriptions": 2"#)
        let inbox = Inbox()
        let local = try await bus.subscribe(to: "a", inbox.receive)
        let client = try TestSocket(port: port)
        client.send("SUBSCRIBE a b")
        #expect(try client.read(until: "(max_subscriptions)\r\n").contains("-ERR the bus has as many subscriptions as it may"))
        let error = await #expect(throws: ModuleError.self) { _ = try await bus.subscribe(to: "c", inbox.receive) }
        #expect(error?.code == "bus.too_many_subscriptions")
        local.cancel()
        client.send("SUBSCRIBE b")
        try client.read(until: "$1\r\nb\r\n:2\r\n")
        client.send("QUIT")
        #expect(client.readToEnd() > 0)
        await waitUntil { (try? await bus.subscribe(to: "c", inbox.receive)) != nil }
        await bus.close()
    }

    @Test func anAddressInUseIsTriedAgain() async throws {
        let (bus, port) = try await listening()
        let second = try TestHost().make(MemoryBus.self, #"{"listen": "127.0.0.1:\#(port)"}"#)
        let error = await #expect(throws: ModuleError.self) { try await second.open() }
        #expect(error?.kind == .transient && error?.code == "bus.address_in_use")
        await bus.close()
        try await second.open()
        await second.close()
        await second.close()
    }

    @Test(arguments: [
        (#"{"listen": "0.0.0.0:6380"}"#, "clients need a password"), (#"{"listen": "[::]:6380"}"#, "clients need a password"),
        (#"{"listen": "6380"}"#, "must be a numeric address"), (#"{"listen": "somewhere:6380"}"#, "must be a numeric address"),
        (#"{"listen": "127.0.0.1:99999"}"#, "must be a numeric address"), (#"{"listen": "::1:6380"}"#, "must be a numeric address"),
        (#"{"listen": "127.0.0.1:6380", "password": ""}"#, "must not be empty"),
        (#"{"password": "s3cret"}"#, "for clients of `listen`"),
    ])
    func aBadConfigIsExplained(json: String, expected: String) throws {
        let error = #expect(throws: ConfigError.self) { try TestHost().make(MemoryBus.self, json) }
        let text = try #require(error).description
        #expect(text.contains(expected), "\(text)")
        #expect(!text.contains("s3cret"))
    }

    @Test(arguments: [
        #"{"listen": "[::1]:0"}"#, #"{"listen": "localhost:0"}"#, #"{"listen": "0.0.0.0:0", "password": "s3cret"}"#,
    ])
    func aGoodConfigListens(json: String) async throws {
        let bus = try TestHost().make(MemoryBus.self, json)
        try await bus.open()
        #expect(bus.listenAddress != nil)
        await bus.close()
        #expect(bus.listenAddress == nil)
    }
}
