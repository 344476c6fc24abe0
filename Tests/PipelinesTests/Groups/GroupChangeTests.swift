import Martlet
import Pipelines
import Testing

/// Pause, reset and new partitions of a group that runs.
@Suite(.timeLimit(.minutes(2))) struct GroupChangeTests {
    private func addUp(_ status: GroupStatus) -> Bool {
        let counters = status.counters
        return counters.consumed
            == counters.handled + counters.filtered + counters.deadLettered + counters.expired + counters.inFlight
    }

    @Test func aPausedGroupHandsNothingOver() async throws {
        let fixture = try await GroupFixture()
        fixture.group.start()
        try await fixture.publish("a")
        try await fixture.wait(for: "a") { fixture.sink.taken == ["a"] }
        fixture.group.pause()
        try await fixture.wait(for: "the pause") { fixture.group.status.phase == .paused }
        try await fixture.publish("b")
        try await fixture.wait(for: "the lag") { fixture.group.status.lag == 1 }
        #expect(fixture.sink.taken == ["a"])
        fixture.group.resume()
        try await fixture.wait(for: "b") { fixture.sink.taken == ["a", "b"] }
        try await fixture.wait(for: "no lag") { fixture.group.status.lag == 0 }
        #expect(fixture.group.status.phase == .running)
        await fixture.stop()
    }

    @Test func aGroupThatRunsIsNotReset() async throws {
        let fixture = try await GroupFixture()
        await #expect(throws: GroupResetRefusal.running) { try await fixture.group.reset([]) }
        fixture.group.pause()
        await #expect(throws: GroupResetRefusal.notOpen) { try await fixture.group.reset([]) }
        await fixture.stop()
        await #expect(throws: GroupResetRefusal.notOpen) { try await fixture.group.reset([]) }
    }

    @Test func aResetWaitsForTheBatchUnderWay() async throws {
        let fixture = try await GroupFixture()
        fixture.sink.turn(.waits)
        fixture.group.start()
        try await fixture.publish("a", "b")
        try await fixture.wait(for: "the batch") { fixture.group.status.counters.inFlight == 1 }
        fixture.group.pause()
        #expect(fixture.group.status.phase == .pausing)
        let changes = try await fixture.group.previewReset(to: .latest)
        await #expect(throws: GroupResetRefusal.batchUnderWay(["items/0"])) { try await fixture.group.reset(changes) }
        fixture.sink.turn(.takes)
        try await fixture.wait(for: "the end of the batch") { fixture.group.status.phase == .paused }
        #expect(fixture.sink.taken == ["a"])
        try await fixture.group.reset(changes)
        fixture.group.resume()
        try await fixture.publish("c")
        try await fixture.wait(for: "c") { fixture.sink.taken == ["a", "c"] }
        #expect(addUp(fixture.group.status))
        await fixture.stop()
    }

    @Test func aBatchThatIsRetriedIsGivenUp() async throws {
        let fixture = try await GroupFixture(batchEvents: 2)
        fixture.sink.turn(.fails)
        fixture.group.start()
        try await fixture.publish("a", "b", "c")
        try await fixture.wait(for: "trouble") { fixture.group.status.phase == .held }
        fixture.group.pause()
        let changes = try await fixture.group.previewReset(to: .offset(2))
        #expect(changes.map(\.to) == [2])
        try await fixture.group.reset(changes)
        #expect(addUp(fixture.group.status))
        #expect(fixture.group.health.current.isEmpty)
        fixture.sink.turn(.takes)
        fixture.group.resume()
        try await fixture.wait(for: "c") { fixture.sink.taken == ["c"] }
        try await fixture.publish("d", "e")
        try await fixture.wait(for: "all") { fixture.sink.taken == ["c", "d", "e"] && fixture.group.status.lag == 0 }
        #expect(addUp(fixture.group.status))
        await fixture.stop()
    }

    @Test func aResetGoesWhereItIsTold() async throws {
        let fixture = try await GroupFixture(batchEvents: 10)
        fixture.group.start()
        try await fixture.publish("a", "b", "c")
        try await fixture.wait(for: "three") { fixture.group.status.lag == 0 && fixture.sink.taken.count == 3 }
        fixture.group.pause()
        #expect(try await fixture.group.previewReset(to: .earliest).map(\.to) == [0])
        #expect(try await fixture.group.previewReset(to: .offset(99)).map(\.to) == [3])
        #expect(try await fixture.group.previewReset(to: .time(0)).map(\.to) == [0])
        #expect(try await fixture.group.previewReset(to: .time(.max)).map(\.to) == [3])
        await #expect(throws: GroupResetRefusal.noSuchPartition("topic other, partition 4")) {
            try await fixture.group.previewReset(to: .latest, topic: "other", partition: 4)
        }
        try await fixture.group.reset(fixture.group.previewReset(to: .offset(1)))
        #expect(try await fixture.log.committedOffset(group: "group", topic: "items", partition: 0) == 1)
        fixture.group.resume()
        try await fixture.wait(for: "two again") { fixture.sink.taken == ["a", "b", "c", "b", "c"] }
        await fixture.stop()
        // The commit of what was settled before the reset did not overtake it, nor get lost after it.
        #expect(fixture.group.status.counters.handled == 5)
    }

    @Test func resetsAndStopsAtTheSameTime() async throws {
        for _ in 0..<20 {
            let fixture = try await GroupFixture(partitions: 3)
            fixture.group.start()
            try await fixture.publish("a")
            try await fixture.wait(for: "a") { fixture.sink.taken == ["a"] && fixture.group.status.lag == 0 }
            fixture.group.pause()
            let changes = try await fixture.group.previewReset(to: .earliest)
            async let first: Void? = try? fixture.group.reset(changes)
            async let second: Void? = try? fixture.group.reset(changes)
            async let end: Void = fixture.stop()
            _ = await (first, second, end)
            await #expect(throws: GroupResetRefusal.notOpen) { try await fixture.group.reset(changes) }
        }
    }

    @Test func partitionsThatATopicGetsAreRead() async throws {
        let fixture = try await GroupFixture(partitions: 1, batchEvents: 10)
        fixture.group.start()
        try await fixture.publish("a")
        try await fixture.wait(for: "a") { fixture.sink.taken == ["a"] }
        try await fixture.grow(to: 4)
        try await fixture.group.readNewPartitions()
        for text in ["b", "c", "d", "e"] { try await fixture.publish(text) }
        try await fixture.wait(for: "all") { fixture.sink.taken.count >= 5 }
        #expect(fixture.sink.taken.sorted() == ["a", "b", "c", "d", "e"])
        await fixture.stop()
    }
}
