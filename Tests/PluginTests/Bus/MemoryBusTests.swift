import BusPlugin
import Martlet
import MartletTesting
import Synchronization
import Testing

/// The bus inside one process.
struct MemoryBusTests {
    private let bus: MemoryBus

    init() async throws {
        bus = try TestHost().make(MemoryBus.self, "{}")
        try await bus.open()
    }

    @Test func theReadmeShowsAConfigThatWorks() throws {
        _ = try MemoryBusConfig(json: ReadmeExample.json(of: "Bus"), reserved: ["type"])
    }

    @Test func subscribersHaveTheMessageWhenPublishReturns() async throws {
        let (plain, pattern, other) = (Inbox(), Inbox(), Inbox())
        _ = try await bus.subscribe(to: "likes.a", plain.receive)
        _ = try await bus.subscribe(to: "likes.[ab]", pattern.receive)
        _ = try await bus.subscribe(to: "likes.c", other.receive)
        try await bus.publish([.sample("1"), .sample("2", offset: 1)], to: "likes.a")
        try await bus.publish([.sample("3")], to: "likes.b")
        #expect(plain.items == [.message("1"), .message("2")])
        #expect(pattern.items == [.message("1"), .message("2"), .message("3")])
        #expect(other.items.isEmpty)
        #expect(plain.messages[1].previousOffset == 0)
    }

    @Test func aSubscriptionEndsFromWithin() async throws {
        let inbox = Inbox()
        let own = Mutex<Subscription?>(nil)
        let subscription = try await bus.subscribe(to: "c") { delivery in
            inbox.receive(delivery)
            own.withLock { $0 }?.cancel()
        }
        own.withLock { $0 = subscription }
        try await bus.publish([.sample("1")], to: "c")
        try await bus.publish([.sample("2")], to: "c")
        #expect(inbox.items == [.message("1")])
        // Ending it again changes nothing.
        subscription.cancel()
    }

    @Test func publishersTakeTurns() async throws {
        let inside = Atomic<Int>(0)
        let most = Atomic<Int>(0)
        _ = try await bus.subscribe(to: "c") { _ in
            let now = inside.wrappingAdd(1, ordering: .relaxed).newValue
            most.max(now, ordering: .relaxed)
            inside.wrappingSubtract(1, ordering: .relaxed)
        }
        await withTaskGroup(of: Void.self) { tasks in
            for _ in 0..<8 {
                tasks.addTask { [bus] in for _ in 0..<200 { try? await bus.publish([.sample("1")], to: "c") } }
            }
        }
        #expect(most.load(ordering: .relaxed) == 1)
    }
}
