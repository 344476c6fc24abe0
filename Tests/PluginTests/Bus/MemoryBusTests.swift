import BusPlugin
import Martlet
import MartletTesting
import Synchronization
import Testing

@Suite struct MemoryBusTests {
    private func bus(_ config: String = "{}") throws -> MemoryBus {
        try TestHost().make(MemoryBus.self, config)
    }

    private func message(_ payload: String) -> Message {
        let event = Event(id: "e", key: nil, payload: Bytes(payload), timestamp: 0)
        return Message(record: Record(topic: "t", partition: 0, offset: 0, event: event), previousOffset: nil)
    }

    @Test func everySubscriberOfTheChannelGetsTheMessagesInOrder() async throws {
        let bus = try bus()
        let first = Received()
        let second = Received()
        let other = Received()
        _ = try await bus.subscribe(to: "a") { first.take($0) }
        _ = try await bus.subscribe(to: "a") { second.take($0) }
        _ = try await bus.subscribe(to: "b") { other.take($0) }
        try await bus.publish([message("1"), message("2")], to: "a")
        try await bus.publish([message("3")], to: "a")
        try await bus.publish([message("4")], to: "nobody")
        #expect(first.payloads == ["1", "2", "3"])
        #expect(second.payloads == ["1", "2", "3"])
        #expect(other.payloads == [])
    }

    @Test func publishersTakeTurns() async throws {
        let bus = try bus()
        let received = Received()
        let isInside = Atomic<Bool>(false)
        let overlaps = Atomic<Int>(0)
        _ = try await bus.subscribe(to: "a") { delivery in
            if isInside.exchange(true, ordering: .relaxed) { overlaps.add(1, ordering: .relaxed) }
            received.take(delivery)
            isInside.store(false, ordering: .relaxed)
        }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for publisher in 0..<8 {
                group.addTask {
                    for number in 0..<50 { try await bus.publish([self.message("\(publisher):\(number)")], to: "a") }
                }
            }
            try await group.waitForAll()
        }
        #expect(overlaps.load(ordering: .relaxed) == 0)
        #expect(received.payloads.count == 400)
        for publisher in 0..<8 {
            let own = received.payloads.filter { $0.hasPrefix("\(publisher):") }
            #expect(own == (0..<50).map { "\(publisher):\($0)" })
        }
    }

    @Test func aSubscriptionEndsAlsoFromWithin() async throws {
        let bus = try bus()
        let received = Received()
        let own = Mutex<Subscription?>(nil)
        let subscription = try await bus.subscribe(to: "a") { delivery in
            received.take(delivery)
            own.withLock { $0 }?.cancel()
        }
        own.withLock { $0 = subscription }
        try await bus.publish([message("1")], to: "a")
        try await bus.publish([message("2")], to: "a")
        subscription.cancel()
        #expect(received.payloads == ["1"])
    }

    @Test func subscriptionsAreLimitedAndGivenBack() async throws {
        let bus = try bus(#"{ "max_subscriptions": 1 }"#)
        let first = try await bus.subscribe(to: "a") { _ in }
        let error = await #expect(throws: ModuleError.self) { _ = try await bus.subscribe(to: "b") { _ in } }
        #expect(error?.kind == .blocked)
        #expect(error?.code == "bus.too_many_subscriptions")
        first.cancel()
        first.cancel()
        _ = try await bus.subscribe(to: "b") { _ in }
        await bus.close()
        await bus.close()
        _ = try await bus.subscribe(to: "c") { _ in }
    }

    private final class Received: Sendable {
        private let state = Mutex<[String]>([])

        var payloads: [String] { state.withLock { $0 } }

        func take(_ delivery: Delivery) {
            guard case .messages(let messages) = delivery else { return }
            state.withLock { $0 += messages.map { $0.record.event.payload.string } }
        }
    }
}
