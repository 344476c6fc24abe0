import Martlet
import Synchronization
import Testing

@testable import Pipelines

/// The order in which a bus gets a source's events, and what is refused.
struct BusPublisherTests {
    /// Takes messages at once if it is told so; `publish` waits until it is let, and fails with what it is told.
    private final class ScriptedBus: ImmediatePublishing {
        struct Config: ModuleConfig {
            init(from fields: inout ConfigFields) {}
        }

        private struct State {
            var batches: [[String]] = []
            var isImmediate = false
            var isHeld = false
            var failure: ModuleError?
        }

        static let name = "scripted"
        static let summary = "A bus of this test."
        private let state = Mutex(State())

        init(isImmediate: Bool = false, isHeld: Bool = false, failure: ModuleError? = nil) {
            state.withLock { $0 = State(isImmediate: isImmediate, isHeld: isHeld, failure: failure) }
        }

        init?(config: Config, context: ModuleContext) {}

        var batches: [[String]] { state.withLock { $0.batches } }
        func letGo() { state.withLock { $0.isHeld = false } }
        func becomeImmediate() { state.withLock { $0.isImmediate = true } }

        func publishNow(_ messages: [Message], to channel: String) -> Bool {
            state.withLock { state in
                if state.isImmediate { state.batches.append(messages.map(\.record.event.id.string)) }
                return state.isImmediate
            }
        }

        func publish(_ messages: [Message], to channel: String) async throws {
            state.withLock { $0.batches.append(messages.map(\.record.event.id.string)) }
            _ = await waitUntil { state.withLock { !$0.isHeld } }
            if let failure = state.withLock({ $0.failure }) { throw failure }
        }

        func open() async throws {}
        func close() async {}
        func subscribe(to channel: String, _ receive: @escaping @Sendable (Delivery) -> Void) async throws -> Subscription {
            Subscription {}
        }
    }

    /// What publishers heard, by the ids of their events.
    private final class Answers: Sendable {
        private let answers = Mutex<[String]>([])
        var all: [String] { answers.withLock { $0 } }

        func publish(_ ids: [String], payload: Bytes = "", on publisher: BusPublisher) {
            let events = ids.map { Event(id: Bytes($0), key: nil, payload: payload, timestamp: 0) }
            publisher.publish(events) { [self] result in
                let text: String
                switch result {
                case .success: text = "taken"
                case .failure(let error): text = error.code
                }
                answers.withLock { $0.append("\(ids.first ?? "none"): \(text)") }
            }
        }
    }

    @Test func aBusThatCanTakesEventsAtOnce() {
        let bus = ScriptedBus(isImmediate: true)
        let publisher = BusPublisher(bus: bus, channel: "c")
        let answers = Answers()
        answers.publish(["a", "b"], on: publisher)
        answers.publish(["c"], on: publisher)
        #expect(bus.batches == [["a", "b"], ["c"]])
        #expect(answers.all == ["a: taken", "c: taken"])
    }

    @Test func whatComesMeanwhileGoesTogetherAndInOrder() async {
        let bus = ScriptedBus(isHeld: true)
        let publisher = BusPublisher(bus: bus, channel: "c")
        let answers = Answers()
        answers.publish(["a"], on: publisher)
        #expect(await waitUntil { bus.batches.count == 1 })
        answers.publish(["b", "c"], on: publisher)
        // It could be taken at once now, and may not overtake.
        bus.becomeImmediate()
        answers.publish(["d"], on: publisher)
        #expect(answers.all.isEmpty)
        bus.letGo()
        #expect(await waitUntil { answers.all.count == 3 })
        #expect(bus.batches == [["a"], ["b", "c", "d"]])
        #expect(answers.all == ["a: taken", "b: taken", "d: taken"])
    }

    @Test func aFailureReachesAllThatWentTogether() async {
        let bus = ScriptedBus(failure: .transient("bus.away", "away"))
        let publisher = BusPublisher(bus: bus, channel: "c")
        let answers = Answers()
        answers.publish(["a"], on: publisher)
        #expect(await waitUntil { answers.all == ["a: bus.away"] })
    }

    @Test func whatWaitsIsBounded() async {
        let bus = ScriptedBus(isHeld: true)
        let publisher = BusPublisher(bus: bus, channel: "c")
        let answers = Answers()
        answers.publish(["first"], on: publisher)
        #expect(await waitUntil { bus.batches.count == 1 })
        answers.publish((0..<BusPublisher.limit).map { "w\($0)" }, on: publisher)
        answers.publish(["more"], on: publisher)
        #expect(answers.all == ["more: publish.bus_behind"])
        bus.letGo()
        #expect(await waitUntil { answers.all.count == 3 })
        answers.publish(["later"], on: publisher)
        #expect(await waitUntil { answers.all.last == "later: taken" })
    }

    @Test func theBytesThatWaitAreBounded() async {
        let bus = ScriptedBus(isHeld: true)
        let publisher = BusPublisher(bus: bus, channel: "c")
        let answers = Answers()
        answers.publish(["first"], on: publisher)
        #expect(await waitUntil { bus.batches.count == 1 })
        let half = Bytes(String(repeating: "x", count: BusPublisher.byteLimit / 2))
        for id in ["a", "b", "c"] { answers.publish([id], payload: half, on: publisher) }
        #expect(answers.all == ["b: publish.bus_behind", "c: publish.bus_behind"])
        bus.letGo()
        #expect(await waitUntil { answers.all.last == "a: taken" })
    }
}
