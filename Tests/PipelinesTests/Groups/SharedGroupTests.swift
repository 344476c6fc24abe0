import Martlet
import Synchronization
import Testing

@testable import Pipelines

/// A group whose partitions a shared log gives out among hosts.
@Suite(.timeLimit(.minutes(2))) struct SharedGroupTests {
    private func addUp(_ group: GroupRunner) -> Bool {
        let counters = group.status.counters
        return counters.consumed
            == counters.handled + counters.filtered + counters.deadLettered + counters.expired + counters.inFlight
    }

    private func phases(_ group: GroupRunner) -> [GroupStatus.Phase] { group.status.partitions.map(\.phase) }

    @Test func eachHostReadsWhatItIsGiven() async throws {
        let fixture = try await SharedGroupFixture(members: 2)
        let (a, b) = (fixture.members[0], fixture.members[1])
        #expect(a.group.status.phase == .opening)
        await a.assign(0, 1)
        await b.assign(2, 3)
        for partition in PartitionID(0)..<4 { try await fixture.publish("\(partition)", to: partition) }
        try await fixture.wait(for: "all") { a.sink.taken.count == 2 && b.sink.taken.count == 2 }
        #expect(Set(a.sink.taken) == ["0", "1"] && Set(b.sink.taken) == ["2", "3"])
        #expect(phases(a.group) == [.running, .running, .elsewhere, .elsewhere])
        #expect(phases(b.group) == [.elsewhere, .elsewhere, .running, .running])

        // A new share replaces the old one.
        await b.seat?.revoke()
        await a.assign(3)
        await b.assign(0, 1, 2)
        for partition in PartitionID(0)..<4 { try await fixture.publish("new \(partition)", to: partition) }
        try await fixture.wait(for: "the new ones") { a.sink.taken.count == 3 && b.sink.taken.count == 5 }
        #expect(a.sink.taken.last == "new 3")
        #expect(phases(a.group) == [.elsewhere, .elsewhere, .elsewhere, .running])
        #expect(addUp(a.group) && addUp(b.group))
        await fixture.stop()
    }

    @Test func aHostThatGetsNothingIsReady() async throws {
        let fixture = try await SharedGroupFixture()
        await fixture.members[0].assign()
        try await fixture.wait(for: "the group") { fixture.members[0].group.isReady }
        #expect(fixture.members[0].group.status.phase == .running && fixture.members[0].group.status.lag == nil)
        await fixture.stop()
    }

    /// What the revoke waited for is committed when it returns, and nothing comes after it.
    @Test func nothingIsSettledAfterARevoke() async throws {
        let fixture = try await SharedGroupFixture(members: 2, batchEvents: 2)
        let (a, b) = (fixture.members[0], fixture.members[1])
        a.sink.turn(.waits)
        await a.assign(0)
        try await fixture.publish("1", "2", "3", "4", "5")
        try await fixture.wait(for: "a batch under way") { a.group.status.counters.inFlight == 2 }
        let hasReturned = Mutex(false)
        let revoke = Task {
            await a.seat?.revoke()
            hasReturned.withLock { $0 = true }
        }
        #expect(await !waitUntil(within: .milliseconds(100)) { hasReturned.withLock { $0 } })
        a.sink.turn(.takes)
        await revoke.value
        #expect(a.sink.taken == ["1", "2"])
        #expect(try await fixture.committed() == 2)
        #expect(phases(a.group) == [.elsewhere, .elsewhere, .elsewhere, .elsewhere])
        await b.assign(0)
        try await fixture.wait(for: "the rest") { b.sink.taken == ["3", "4", "5"] }
        #expect(a.sink.taken == ["1", "2"])
        #expect(addUp(a.group) && addUp(b.group))
        await fixture.stop()
    }

    /// A batch that waits for its next try is given up; its records stay in flight until they are read here again.
    @Test func countersAddUpAcrossARevoke() async throws {
        let fixture = try await SharedGroupFixture(batchEvents: 2)
        let member = fixture.members[0]
        await member.assign(0)
        try await fixture.publish("1")
        try await fixture.wait(for: "the first") { member.sink.taken == ["1"] }
        member.sink.turn(.fails)
        try await fixture.publish("2", "3", "4")
        try await fixture.wait(for: "trouble") { member.group.status.phase == .held }
        await member.seat?.revoke()
        #expect(member.group.health.current.isEmpty)
        #expect(addUp(member.group) && member.group.status.counters.inFlight == 2)
        #expect(try await fixture.committed() == 1)
        member.sink.turn(.takes)
        await member.assign(0)
        try await fixture.wait(for: "all") { member.sink.taken == ["1", "2", "3", "4"] }
        try await fixture.wait(for: "the counters") { member.group.status.counters.inFlight == 0 }
        let counters = member.group.status.counters
        #expect(counters.consumed == 4 && counters.handled == 4 && addUp(member.group))
        await fixture.stop()
    }

    /// An offset that could not be committed in time is no longer this host's to commit.
    @Test func aCommitThatFailedIsForgottenWithThePartition() async throws {
        let fixture = try await SharedGroupFixture(members: 2)
        let (a, b) = (fixture.members[0], fixture.members[1])
        await a.assign(0)
        try await fixture.publish("1", "2")
        try await fixture.wait(for: "two") { a.sink.taken == ["1", "2"] }
        // The log has given the partition away before what was settled is committed.
        await a.seat?.lose()
        try await fixture.publish("3", "4")
        await b.assign(0)
        try await fixture.wait(for: "the others") { b.sink.taken.last == "4" }
        await b.seat?.revoke()
        await a.assign(0)
        try await fixture.publish("5")
        try await fixture.wait(for: "the last") { a.sink.taken.last == "5" }
        await a.group.stop()
        let commits = fixture.cluster.commits("group", "items", 0)
        #expect(commits == commits.sorted() && commits.last == 5, "\(commits)")
        await fixture.stop()
    }

    @Test func aRevokeWaitsForTheResetUnderWay() async throws {
        let fixture = try await SharedGroupFixture()
        let member = fixture.members[0]
        await member.assign(0)
        try await fixture.publish("1", "2")
        try await fixture.wait(for: "two") { member.sink.taken.count == 2 }
        member.group.pause()
        let changes = try await member.group.previewReset(to: .earliest)
        #expect(changes.map(\.to) == [0] && changes.map(\.available) == [0..<2])
        try await fixture.wait(for: "the commit") { fixture.cluster.commits("group", "items", 0).last == 2 }
        fixture.cluster.holdCommits()
        let reset = Task { try await member.group.reset(changes) }
        try await fixture.wait(for: "the reset's commit") { fixture.cluster.heldCommits == 1 }
        let hasReturned = Mutex(false)
        let assign = Task {
            await member.assign(0, 1)
            hasReturned.withLock { $0 = true }
        }
        #expect(await !waitUntil(within: .milliseconds(100)) { hasReturned.withLock { $0 } })
        #expect(fixture.cluster.heldCommits == 1)
        fixture.cluster.letCommitsGo()
        try await reset.value
        await assign.value
        member.group.resume()
        try await fixture.wait(for: "both again") { member.sink.taken.count == 4 }
        #expect(phases(member.group).prefix(2) == [.running, .running])
        await fixture.stop()
    }

    @Test func onlyWhatIsReadHereIsResetHere() async throws {
        let fixture = try await SharedGroupFixture(members: 2)
        let (a, b) = (fixture.members[0], fixture.members[1])
        await a.assign(0, 1)
        await b.assign(2, 3)
        try await fixture.publish("1")
        try await fixture.wait(for: "one") { a.sink.taken == ["1"] }
        a.group.pause()
        let changes = try await a.group.previewReset(to: .earliest)
        #expect(changes.map(\.place.partition) == [0, 1])
        await #expect(throws: GroupResetRefusal.onOtherHosts(["items/2"])) {
            try await a.group.previewReset(to: .earliest, partition: 2)
        }
        await #expect(throws: GroupResetRefusal.noSuchPartition("partition 4")) {
            try await a.group.previewReset(to: .earliest, partition: 4)
        }
        await a.assign(1)
        await #expect(throws: GroupResetRefusal.onOtherHosts(["items/0"])) { try await a.group.reset(changes) }
        #expect(try await fixture.committed() == 1)
        await a.seat?.revoke()
        await #expect(throws: GroupResetRefusal.notOpen) { try await a.group.reset(changes) }
        await fixture.stop()
    }

    @Test func aStopGivesThePartitionsBack() async throws {
        let fixture = try await SharedGroupFixture()
        let member = fixture.members[0]
        await member.assign(0)
        try await fixture.publish("1", "2")
        try await fixture.wait(for: "two") { member.sink.taken.count == 2 }
        await member.group.stop()
        #expect(member.seat == nil)
        #expect(try await fixture.committed() == 2)
        await fixture.stop()
    }

    @Test func anAssignmentThatComesWhileTheGroupStopsStartsNothing() async throws {
        for _ in 0..<20 {
            let fixture = try await SharedGroupFixture()
            let member = fixture.members[0]
            let seat = try #require(member.seat)
            try await fixture.publish("1")
            async let assign: Void = seat.assign(["items": [0]])
            async let stop: Void = member.group.stop()
            _ = await (assign, stop)
            let taken = member.sink.taken
            try await fixture.publish("2")
            #expect(await !waitUntil(within: .milliseconds(10)) { member.sink.taken != taken })
            await fixture.stop()
        }
    }

    @Test func aStoreThatKeepsOffsetsIsAskedAtEachAssignment() async throws {
        let sink = ScriptedTransactionalSink { _, _ in .handled }
        let fixture = try await SharedGroupFixture(target: .sink(sink))
        let member = fixture.members[0]
        await member.assign(0)
        try await fixture.publish("1", "2")
        try await fixture.wait(for: "two") { sink.storedOffset == 2 }
        await member.seat?.revoke()
        try await fixture.publish("3", "4", "5")
        // Another host has written up to there.
        try await sink.resetOffset(
            of: GroupPartition(group: "group", topic: "items", incarnation: "i1", partition: 0), to: 4)
        await member.assign(0)
        try await fixture.wait(for: "the last") { sink.storedOffset == 5 }
        #expect(sink.handled == ["1", "2", "5"])
        await fixture.stop()
    }

    /// A group without an offset begins where the log says, not where this host last heard that it ends.
    @Test func theFirstOffsetIsAskedOfTheLog() async throws {
        let fixture = try await SharedGroupFixture()
        let member = fixture.members[0]
        try await fixture.publish("1", "2", "3")
        fixture.cluster.log.removeRecords(before: 2)
        await member.assign(0)
        try await fixture.wait(for: "the last") { member.sink.taken == ["3"] }
        #expect(member.group.status.counters.expired == 0)
        await fixture.stop()
    }

    /// What comes while the partition goes from one host to another is no less the group's.
    @Test(arguments: [false, true])
    func aGroupThatBeginsAtTheEndMissesNothingAfterwards(_ isTransactional: Bool) async throws {
        let sink = ScriptedTransactionalSink { _, _ in .handled }
        let fixture = try await SharedGroupFixture(members: 2, start: .latest, target: isTransactional ? .sink(sink) : nil)
        try await fixture.publish("before")
        await fixture.members[0].assign(0)
        try await fixture.wait(for: "its place") { fixture.members[0].group.positions.first?.offset == 1 }
        await fixture.members[0].seat?.revoke()
        try await fixture.publish("between")
        await fixture.members[1].assign(0)
        try await fixture.publish("after")
        let wanted = ["between", "after"]
        try await fixture.wait(for: "both") { isTransactional ? sink.handled == wanted : fixture.members[1].sink.taken == wanted }
        await fixture.stop()
    }

    /// A log that is away says so after a long time; another host is not to wait for that.
    @Test func aDeadLetterWithoutAnAnswerHoldsNoRevoke() async throws {
        let sink = ScriptedSink(isAtomic: false) { batch, _ in .each(batch.map { _ in .permanent("test.bad", "bad") }) }
        let fixture = try await SharedGroupFixture(target: .sink(sink))
        let member = fixture.members[0]
        await member.assign(0)
        fixture.cluster.holdAppends()
        try await fixture.publish("1")
        try await fixture.wait(for: "the dead letter") { member.log.heldAppends == 1 }
        let start = ContinuousClock.now
        await member.seat?.revoke()
        #expect(.now - start < .seconds(10))
        #expect(member.group.positions.isEmpty)
        await fixture.stop()
    }

    @Test func aGroupWaitsForItsTopics() async throws {
        let cluster = MemoryCluster()
        cluster.goAway()
        let log = MemorySharedLog(cluster)
        let runner = SharedLogRunner(log: log, logger: .silent)
        let settings = GroupSettings(name: "group", topics: ["items"])
        let sink = SwitchedSink()
        let group = GroupRunner(
            settings: settings, target: .sink(sink), transforms: TransformChain([]), log: log, registry: MetricsRegistry(),
            dependencies: [], shared: runner, logger: .silent)
        runner.expect([("items", SharedGroupFixture.settings)])
        group.start()
        #expect(await waitUntil { log.trouble != nil && runner.unmadeTopics.first?.error?.code == "log.away" })
        #expect(log.seat("group") == nil && !group.isReady && group.status.phase == .opening && group.status.partitions.isEmpty)
        cluster.refuse("items", .blocked("log.fewer_partitions", "it has 9 partitions"))
        cluster.comeBack()
        #expect(await waitUntil { runner.unmadeTopics.first?.error?.code == "log.fewer_partitions" })
        #expect(log.seat("group") == nil)
        cluster.refuse("items", nil)
        #expect(await waitUntil { log.seat("group") != nil })
        #expect(runner.unmadeTopics.isEmpty)
        await group.stop()
        await runner.close()
    }
}
