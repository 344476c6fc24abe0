import Foundation
import Martlet
import MartletTesting
import RedisPlugin
import Testing

/// Against a real redis-server.
struct RedisPubSubTests {
    private func bus(_ server: RedisServer, _ fields: String = "") async throws -> RedisPubSub {
        let bus = try TestHost().make(RedisPubSub.self, #"{"url": "\#(server.url)"\#(fields)}"#)
        try await bus.open()
        return bus
    }

    @Test func theReadmeShowsAConfigThatWorks() throws {
        _ = try RedisConfig(json: ReadmeExample.json(of: "Redis"), reserved: ["type"])
    }

    @Test func aMessageArrivesAsItWasSent() async throws {
        let server = try RedisServer()
        let (sender, receiver) = (try await bus(server), try await bus(server))
        let inbox = Inbox()
        _ = try await receiver.subscribe(to: "notifications", inbox.receive)
        let event = Event(
            id: "0195-1", key: "bo b\n", headers: [Header("trace", "a b"), Header("", "")],
            payload: Bytes(#"{"text": "hi\n"}"# + "\r\n$5\r\n"), timestamp: 1_700_000_000_123)
        let record = Record(topic: "likes.v1", partition: 3, offset: 1 << 40, index: 2, event: event)
        try await sender.publish([Message(record: record, previousOffset: -1, isLast: false)], to: "notifications")
        try await inbox.wait(for: 1)
        let message = try #require(inbox.messages.first)
        #expect(message.record.topic == "likes.v1")
        #expect(message.record.partition == 3 && message.record.offset == 1 << 40 && message.record.index == 2)
        #expect(message.previousOffset == -1 && !message.isLast)
        #expect(message.record.event.id == event.id && message.record.event.key == event.key)
        #expect(message.record.event.headers == event.headers)
        #expect(message.record.event.payload == event.payload && message.record.event.timestamp == event.timestamp)
        await sender.close()
        await receiver.close()
    }

    @Test func manyBatchesArriveInOrder() async throws {
        let server = try RedisServer()
        let bus = try await bus(server, #", "max_in_flight_bytes": 65536"#)
        let inbox = Inbox()
        _ = try await bus.subscribe(to: "notifications", inbox.receive)
        // Larger than what is in flight at once, and than what is handed to the socket at once.
        let filler = String(repeating: "x", count: 2_000)
        for batch in 0..<10 {
            try await bus.publish(
                (0..<200).map { .sample("\(batch * 200 + $0) \(filler)", offset: Offset(batch * 200 + $0)) }, to: "notifications")
        }
        try await inbox.wait(for: 2_000)
        #expect(inbox.messages.map(\.record.offset) == (0..<2_000).map { Offset($0) })
        await bus.close()
    }

    @Test func publishersShareOneConnection() async throws {
        let server = try RedisServer()
        let bus = try await bus(server, #", "max_in_flight_bytes": 65536"#)
        let inbox = Inbox()
        _ = try await bus.subscribe(to: "notifications", inbox.receive)
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            for publisher in 0..<50 {
                tasks.addTask {
                    for number in 0..<20 { try await bus.publish([.sample("\(publisher) \(number)")], to: "notifications") }
                }
            }
            try await tasks.waitForAll()
        }
        let texts = try await inbox.wait(for: 1_000).map(\.description)
        for publisher in 0..<50 {
            #expect(texts.filter { $0.hasPrefix("\(publisher) ") } == (0..<20).map { "\(publisher) \($0)" })
        }
        #expect(try server.cli("CLIENT", "LIST").split(separator: "\n").filter { $0.contains("name=martlet-test") }.count == 2)
        await bus.close()
    }

    @Test func aNameWithGlobCharactersIsAPattern() async throws {
        let server = try RedisServer()
        let bus = try await bus(server)
        let (pattern, plain) = (Inbox(), Inbox())
        _ = try await bus.subscribe(to: "likes.*", pattern.receive)
        _ = try await bus.subscribe(to: "likes.a", plain.receive)
        try await bus.publish([.sample("1")], to: "likes.a")
        try await bus.publish([.sample("2")], to: "likes.b")
        try await bus.publish([.sample("3")], to: "other")
        try await bus.publish([.sample("4")], to: "likes.a")
        #expect(try await pattern.wait(for: 3) == [.message("1"), .message("2"), .message("4")])
        #expect(try await plain.wait(for: 2) == [.message("1"), .message("4")])
        await bus.close()
    }

    @Test func subscriptionsOfOneChannelEndOneByOne() async throws {
        let server = try RedisServer()
        let bus = try await bus(server)
        let (first, second) = (Inbox(), Inbox())
        let subscription = try await bus.subscribe(to: "c", first.receive)
        let other = try await bus.subscribe(to: "c", second.receive)
        subscription.cancel()
        try await bus.publish([.sample("1")], to: "c")
        try await second.wait(for: 1)
        #expect(first.items.isEmpty)
        other.cancel()
        // The connection for subscriptions ends with the last of them.
        try await eventually { try NotYet.unless(server.cli("PUBSUB", "NUMSUB", "c") == "c\n0") }
        _ = try await bus.subscribe(to: "c", first.receive)
        try await bus.publish([.sample("2")], to: "c")
        #expect(try await first.wait(for: 1) == [.message("2")])
        await bus.close()
    }

    @Test func aForeignPublishersTextIsDelivered() async throws {
        let server = try RedisServer()
        let bus = try await bus(server)
        let inbox = Inbox()
        _ = try await bus.subscribe(to: "news.*", inbox.receive)
        try server.cli("PUBLISH", "news.today", #"{"to": "bob"}"#)
        try await inbox.wait(for: 1)
        let message = try #require(inbox.messages.first)
        #expect(message.previousOffset == nil)
        #expect(message.record.event.payload == #"{"to": "bob"}"#)
        #expect(message.record.topic == "news.today" && message.record.offset == -1 && message.record.event.key == nil)
        // What another version of ours would send cannot be read, but is known to be missing.
        try server.cli("PUBLISH", "news.today", "martlet/2 whatever")
        #expect(try await inbox.wait(for: 2).last == .gap)
        await bus.close()
    }

    @Test func aMessageThatIsTooLargeBecomesAGap() async throws {
        let server = try RedisServer()
        let bus = try await bus(server, #", "max_message_bytes": 1024"#)
        let inbox = Inbox()
        _ = try await bus.subscribe(to: "c", inbox.receive)
        try await bus.publish(
            [.sample("1"), .sample(String(repeating: "x", count: 1_024)), .sample("3")], to: "c")
        #expect(try await inbox.wait(for: 3) == [.message("1"), .gap, .message("3")])
        await bus.close()
    }

    @Test func aForeignMessageBeyondTheLimitEndsTheConnectionAndIsAGap() async throws {
        let server = try RedisServer()
        let bus = try await bus(server, #", "max_message_bytes": 1024"#)
        let inbox = Inbox()
        _ = try await bus.subscribe(to: "c", inbox.receive)
        try server.cli("EVAL", "return redis.call('PUBLISH', 'c', string.rep('x', 1000000))", "0")
        #expect(try await inbox.wait(for: 1) == [.gap])
        try await bus.publish([.sample("after")], to: "c")
        #expect(try await inbox.wait(for: 2).last == .message("after"))
        await bus.close()
    }

    @Test func theDatabaseIsSelected() async throws {
        let server = try RedisServer(["databases 3"])
        let bus = try TestHost().make(RedisPubSub.self, #"{"url": "\#(server.url)/2"}"#)
        try await bus.open()
        let clients = try server.cli("CLIENT", "LIST").split(separator: "\n")
        #expect(clients.contains { $0.contains("name=martlet-test") && $0.contains(" db=2 ") })
        await bus.close()
        let beyond = try TestHost().make(RedisPubSub.self, #"{"url": "\#(server.url)/3"}"#)
        let error = await #expect(throws: ModuleError.self) { try await beyond.open() }
        #expect(error?.kind == .blocked && error?.code == "redis.refused")
        #expect(error?.message.contains("database 3") == true)
    }
}
