import Martlet
import Synchronization
import Testing

@testable import Pipelines

struct GroupRunnerTests {
    private func runner(
        _ name: GroupName, _ sink: any Sink, _ log: MemoryLog, _ registry: MetricsRegistry,
        _ adjust: (inout GroupSettings) -> Void = { _ in }
    ) -> GroupRunner {
        var settings = GroupSettings(name: name, topics: ["likes"])
        settings.retryInitial = .milliseconds(1)
        settings.retryMaximum = .milliseconds(5)
        settings.commitInterval = .milliseconds(1)
        settings.batchEvents = 7
        adjust(&settings)
        return GroupRunner(
            settings: settings, target: .sink(sink), transforms: TransformChain([]), log: log, registry: registry,
            dependencies: [], logger: .silent)
    }

    private func publish(_ range: Range<Int>, to log: MemoryLog, keys: Int = 1) async throws {
        for number in range {
            _ = try await log.append([.sample("\(number)", key: "k\(number % keys)")], to: "likes")
        }
    }

    @Test func recordsAreHandledInTheOrderOfTheirPartition() async throws {
        let log = MemoryLog(["likes": 3])
        let sink = ScriptedSink(isAtomic: true) { batch, attempt in
            if attempt % 5 == 2 { throw ModuleError.transient("sink.away", "away") }
            return .handled
        }
        let group = runner("store", sink, log, MetricsRegistry())
        try await publish(0..<50, to: log, keys: 6)
        group.start()
        try await publish(50..<200, to: log, keys: 6)
        #expect(await waitUntil { sink.handled.count == 200 })
        await group.stop()
        for key in 0..<6 {
            let numbers = sink.handled.compactMap { Int($0) }.filter { $0 % 6 == key }
            #expect(numbers == numbers.sorted())
            #expect(Set(numbers).count == numbers.count)
        }
    }

    @Test func aHeldGroupDelaysNoOther() async throws {
        let log = MemoryLog()
        let registry = MetricsRegistry()
        let isBroken = Mutex(true)
        let bad = ScriptedSink(isAtomic: true) { _, _ in
            if isBroken.withLock({ $0 }) { throw ModuleError.blocked("sink.no_table", "no table") }
            return .handled
        }
        let good = ScriptedSink(isAtomic: true) { _, _ in .handled }
        let held = runner("held", bad, log, registry)
        let free = runner("free", good, log, registry)
        held.start()
        free.start()
        try await publish(0..<30, to: log)
        #expect(await waitUntil { good.handled.count == 30 })
        #expect(bad.handled.isEmpty)
        #expect(await waitUntil { !held.health.current.isEmpty })
        #expect(!held.isReady)
        #expect(free.isReady)
        isBroken.withLock { $0 = false }
        #expect(await waitUntil { bad.handled.count == 30 })
        #expect(await waitUntil { held.isReady })
        await held.stop()
        await free.stop()
    }

    /// A batch that a stop interrupts is read again by the next runner, and counted once.
    @Test(arguments: [true, false])
    func countersAddUpAcrossRestarts(isTransactional: Bool) async throws {
        let log = MemoryLog()
        let registry = MetricsRegistry()
        let isBroken = Mutex(true)
        let script: ScriptedSink.Script = { batch, _ in
            if isBroken.withLock({ $0 }), batch.contains(where: { $0.offset >= 20 }) {
                throw ModuleError.transient("sink.away", "away")
            }
            return .handled
        }
        let sink: any Sink = isTransactional ? ScriptedTransactionalSink(script) : ScriptedSink(isAtomic: true, script)
        try await publish(0..<50, to: log)
        for _ in 0..<3 {
            let group = runner("store", sink, log, registry)
            group.start()
            #expect(await waitUntil { !group.health.current.isEmpty })
            await group.stop()
        }
        isBroken.withLock { $0 = false }
        let group = runner("store", sink, log, registry)
        group.start()
        #expect(await waitUntil { group.status.counters.handled == 50 })
        await group.stop()
        let counters = group.status.counters
        #expect(counters.consumed == 50)
        #expect(counters.inFlight == 0)
        #expect(counters.consumed == counters.handled + counters.filtered + counters.deadLettered + counters.expired + counters.inFlight)
    }

    /// Retention has overtaken a group that was held: what it never saw is counted, and it goes on with what is left.
    @Test func whatRetentionTookCountsAsExpired() async throws {
        let log = MemoryLog()
        let registry = MetricsRegistry()
        let sink = ScriptedSink(isAtomic: true) { _, _ in .handled }
        try await publish(0..<10, to: log)
        var group = runner("store", sink, log, registry)
        group.start()
        #expect(await waitUntil { sink.handled.count == 10 })
        await group.stop()
        try await publish(10..<50, to: log)
        log.removeRecords(before: 37)
        group = runner("store", sink, log, registry)
        group.start()
        #expect(await waitUntil { sink.handled.count == 23 })
        #expect(await waitUntil { group.status.counters.inFlight == 0 })
        await group.stop()
        let counters = group.status.counters
        #expect(counters.expired == 27)
        #expect(counters.handled == 23)
        #expect(counters.consumed == 50)
        #expect(sink.handled == ((0..<10).map { "\($0)" } + (37..<50).map { "\($0)" }))
    }

    @Test func aGroupGoesOnWhereItStopped() async throws {
        let log = MemoryLog()
        let sink = ScriptedSink(isAtomic: true) { _, _ in .handled }
        for half in [0..<20, 20..<40] {
            let group = runner("store", sink, log, MetricsRegistry())
            try await publish(half, to: log)
            group.start()
            #expect(await waitUntil { sink.handled.count == half.upperBound })
            await group.stop()
        }
        #expect(sink.handled == (0..<40).map { "\($0)" })
        #expect(try await log.committedOffset(group: "store", topic: "likes", partition: 0) == 40)
    }

    @Test func aNewGroupBeginsWhereItsConfigSays() async throws {
        let log = MemoryLog()
        try await publish(0..<10, to: log)
        let sink = ScriptedSink(isAtomic: true) { _, _ in .handled }
        let group = runner("late", sink, log, MetricsRegistry()) { $0.start = .latest }
        group.start()
        #expect(await waitUntil { group.positions.first?.offset == 10 })
        try await publish(10..<12, to: log)
        #expect(await waitUntil { sink.handled == ["10", "11"] })
        await group.stop()
    }

    /// Another owner has moved the stored offset: the group goes on from where it is, and counts what it did not do itself.
    @Test(arguments: [Offset(4), 11, nil]) func aFencedGroupGoesOnFromTheStoredOffset(_ moved: Offset?) async throws {
        let log = MemoryLog()
        let registry = MetricsRegistry()
        let isBroken = Mutex(true)
        let sink = ScriptedTransactionalSink { batch, _ in
            if isBroken.withLock({ $0 }), batch.contains(where: { $0.offset >= 7 }) {
                throw ModuleError.transient("sink.away", "away")
            }
            return .handled
        }
        try await publish(0..<30, to: log)
        let group = runner("store", sink, log, registry)
        group.start()
        // The batch from 7 on is tried again and again.
        #expect(await waitUntil { sink.storedOffset == 7 && !group.health.current.isEmpty })
        let place = try #require(group.positions.first).partition
        try await sink.resetOffset(of: place, to: moved)
        isBroken.withLock { $0 = false }
        #expect(await waitUntil { sink.storedOffset == 30 })
        #expect(await waitUntil { group.isReady })
        #expect(sink.handled == ((0..<7).map { "\($0)" } + (Int(moved ?? 0)..<30).map { "\($0)" }))
        await group.stop()
        let counters = group.status.counters
        #expect(counters.inFlight == 0)
        #expect(counters.consumed == counters.handled + counters.filtered + counters.deadLettered + counters.expired)
    }

    @Test func aFailedOffsetCommitIsTriedAgainByItself() async throws {
        let log = MemoryLog()
        log.refuseNextCommits(3)
        let sink = ScriptedSink(isAtomic: true) { _, _ in .handled }
        let group = runner("store", sink, log, MetricsRegistry())
        group.start()
        try await publish(0..<5, to: log)
        #expect(await waitUntil { (try? await log.committedOffset(group: "store", topic: "likes", partition: 0)) == 5 })
        await group.stop()
    }
}
