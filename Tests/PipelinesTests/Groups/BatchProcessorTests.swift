import Martlet
import Synchronization
import TestSupport
import Testing

@testable import Pipelines

struct BatchProcessorTests {
    private static let place = GroupPartition(group: "store", topic: "likes", incarnation: "i1", partition: 0)

    /// What a processor needs, and what it leaves behind.
    private struct Fixture {
        let log = MemoryLog()
        let registry = MetricsRegistry()
        let health = GroupHealth(logger: .silent)
        let metrics: GroupMetrics
        let processor: BatchProcessor

        init(_ sink: any Sink, _ transforms: [any Transform] = []) {
            metrics = GroupMetrics(registry: registry, group: "store", topic: "likes", partition: 0)
            var settings = GroupSettings(name: "store", topics: ["likes"])
            settings.retryInitial = .milliseconds(1)
            settings.retryMaximum = .milliseconds(2)
            processor = BatchProcessor(
                target: .sink(sink), transforms: TransformChain(transforms), deadLetters: DeadLetters(log: log, group: "store"),
                settings: settings, metrics: metrics, health: health, place: BatchProcessorTests.place)
        }

        func settle(_ batch: [Record], stored: Offset? = nil) async throws -> BatchProcessor.Tally {
            try await processor.settle(
                batch, stored: stored, from: batch.first?.offset ?? 0, to: (batch.last?.offset ?? -1) + 1)
        }

        var deadLetters: [Record] { log.records(of: "likes.dead-letters") }
    }

    private static let poison = ModuleError.permanent("sink.poison", "poisoned")

    private static func batch(_ count: Int, poison: Set<Int> = []) -> [Record] {
        (0..<count).map { .sample(Offset($0), poison.contains($0) ? "poison\($0)" : "\($0)") }
    }

    private static func refusePoison(_ batch: [Record], _ attempt: Int) throws -> WriteResult {
        if batch.contains(where: { $0.text.hasPrefix("poison") }) { throw poison }
        return .handled
    }

    // MARK: Splitting

    @Test(arguments: 1...20 as ClosedRange<UInt64>)
    func aFailingAtomicBatchIsSplitUntilTheBadRecordsStandAlone(seed: UInt64) async throws {
        var random = SeededGenerator(seed: seed)
        let count = Int.random(in: 1...100, using: &random)
        let poison = Set((0..<Int.random(in: 0...5, using: &random)).map { _ in Int.random(in: 0..<count, using: &random) })
        let sink = ScriptedTransactionalSink(Self.refusePoison)
        let fixture = Fixture(sink)
        let tally = try await fixture.settle(Self.batch(count, poison: poison))

        #expect(sink.handled == (0..<count).filter { !poison.contains($0) }.map { "\($0)" })
        #expect(fixture.deadLetters.map(\.text) == poison.sorted().map { "poison\($0)" })
        #expect(tally.handled == count - poison.count)
        #expect(tally.deadLettered == poison.count)
        // Each commit begins where the one before it ended: no offset is skipped, none covered twice.
        #expect(sink.storedOffset == Offset(count))
        #expect(zip(sink.moves, sink.moves.dropFirst()).allSatisfy { $0.upperBound == $1.lowerBound })
        #expect(fixture.health.current.isEmpty)
    }

    @Test func splittingTriesLogarithmicallyManyBatches() async throws {
        let sink = ScriptedSink(isAtomic: true, Self.refusePoison)
        let tally = try await Fixture(sink).settle(Self.batch(512, poison: [300]))
        #expect(tally.deadLettered == 1)
        #expect(sink.attempts <= 2 * 9 + 1)
    }

    @Test func aDeadLetterSaysWhereItComesFromAndWhy() async throws {
        let fixture = Fixture(ScriptedSink(isAtomic: true, Self.refusePoison))
        _ = try await fixture.settle(Self.batch(3, poison: [1]))
        let letter = try #require(fixture.deadLetters.first)
        func header(_ name: String) -> String? { letter.event.header("dead-letter-\(name)")?.string }
        #expect(header("group") == "store")
        #expect(header("error") == "poisoned")
        #expect(header("code") == "sink.poison")
        #expect(header("attempts") == "1")
        #expect(header("topic") == "likes")
        #expect(header("partition") == "0")
        #expect(header("offset") == "1")
        #expect(letter.event.id == Bytes("e1"))
        #expect(letter.event.key == Bytes("bob"))
    }

    @Test func aLongErrorIsCutInTheDeadLetter() async throws {
        let fixture = Fixture(ScriptedSink(isAtomic: true) { _, _ in throw ModuleError.permanent("x", String(repeating: "é", count: 50_000)) })
        _ = try await fixture.settle(Self.batch(1))
        let letter = try #require(fixture.deadLetters.first)
        #expect(letter.event.byteCount < DeadLetters.headerBytes)
    }

    // MARK: Outcomes for each record

    @Test func onlyRecordsThatMaySucceedAreTriedAgain() async throws {
        let sink = ScriptedSink(isAtomic: false) { batch, attempt in
            .each(batch.map { record in
                if record.text.hasPrefix("poison") { return Self.poison }
                return record.offset % 3 == 0 && attempt < 3 ? .transient("sink.away", "away") : nil
            })
        }
        let fixture = Fixture(sink)
        let tally = try await fixture.settle(Self.batch(9, poison: [4]))
        #expect(sink.attempts == 3)
        #expect(sink.handled.sorted() == ["0", "1", "2", "3", "5", "6", "7", "8"])
        #expect(fixture.deadLetters.map(\.text) == ["poison4"])
        #expect(tally.handled == 8)
        #expect(tally.deadLettered == 1)
        #expect(fixture.metrics.retries.value == 2)
    }

    @Test func aWrongNumberOfOutcomesHoldsThePartition() async throws {
        let sink = ScriptedSink(isAtomic: false) { batch, attempt in attempt < 3 ? .each([nil]) : .handled }
        let fixture = Fixture(sink)
        let tally = try await fixture.settle(Self.batch(5))
        #expect(sink.attempts == 3)
        #expect(tally.handled == 5)
    }

    @Test func anOutcomeOfAnAtomicSinkIsNotLost() async throws {
        let sink = ScriptedSink(isAtomic: true) { batch, _ in
            .each(batch.map { $0.text.hasPrefix("poison") ? Self.poison : nil })
        }
        let fixture = Fixture(sink)
        let tally = try await fixture.settle(Self.batch(4, poison: [2]))
        #expect(tally.deadLettered == 1)
        #expect(fixture.deadLetters.map(\.text) == ["poison2"])
    }

    // MARK: Holding

    @Test(arguments: [true, false])
    func transientAndBlockedFailuresAreTriedAgainAndNeverDeadLettered(isAtomic: Bool) async throws {
        let sink = ScriptedSink(isAtomic: isAtomic) { _, attempt in
            switch attempt {
            case 1, 2: throw ModuleError.transient("sink.away", "away")
            case 3: throw ModuleError.blocked("sink.no_table", "no table")
            default: return .handled
            }
        }
        let fixture = Fixture(sink)
        let tally = try await fixture.settle(Self.batch(10))
        #expect(sink.handled == (0..<10).map { "\($0)" })
        #expect(tally.handled == 10)
        #expect(fixture.deadLetters.isEmpty)
        #expect(fixture.metrics.retries.value == 3)
        #expect(fixture.health.current.isEmpty)
    }

    /// A plugin may throw whatever it likes: it is held and reported, and the worker lives.
    @Test(arguments: [true, false])
    func anErrorOfUnknownTypeIsTriedAgain(isAtomic: Bool) async throws {
        struct OwnError: Error {}
        let sink = ScriptedSink(isAtomic: isAtomic) { _, attempt in
            if attempt == 1 { throw OwnError() }
            if attempt == 2 { throw CancellationError() }
            return .handled
        }
        let fixture = Fixture(sink)
        #expect(try await fixture.settle(Self.batch(3)).handled == 3)
        #expect(fixture.deadLetters.isEmpty)
    }

    @Test func whileItIsHeldTheReasonIsKnown() async throws {
        let isBroken = Mutex(true)
        let sink = ScriptedSink(isAtomic: true) { _, _ in
            if isBroken.withLock({ $0 }) { throw ModuleError.blocked("sink.no_table", "no table `x`") }
            return .handled
        }
        let fixture = Fixture(sink)
        async let tally = fixture.settle(Self.batch(2))
        #expect(await waitUntil { fixture.health.current[Self.place]?.attempts ?? 0 > 1 })
        #expect(fixture.health.current[Self.place]?.error.code == "sink.no_table")
        isBroken.withLock { $0 = false }
        #expect(try await tally.handled == 2)
        #expect(fixture.health.current.isEmpty)
    }

    /// Everything was filtered and only the offset is left to store: no record is at fault.
    @Test func aPermanentFailureOfAnEmptyBatchHolds() async throws {
        let sink = ScriptedTransactionalSink { _, attempt in
            if attempt < 3 { throw Self.poison }
            return .handled
        }
        let fixture = Fixture(sink, [ScriptedTransform { $0.map { _ in .drop } }])
        #expect(try await fixture.settle(Self.batch(1)).filtered == 1)
        #expect(sink.storedOffset == 1)
        #expect(fixture.deadLetters.isEmpty)
    }

    @Test func aDeadLetterThatTheLogRefusesIsTriedAgain() async throws {
        let fixture = Fixture(ScriptedSink(isAtomic: true, Self.refusePoison))
        fixture.log.refuseNext(
            .transient("log.storage_full", "full"), .permanent("log.record_too_large", "too large"),
            .blocked("log.unknown_topic", "no topic"))
        let tally = try await fixture.settle(Self.batch(3, poison: [0]))
        #expect(tally.deadLettered == 1)
        #expect(fixture.deadLetters.map(\.text) == ["poison0"])
    }

    @Test func onlyACancellationEndsTheRetries() async throws {
        let sink = ScriptedSink(isAtomic: true) { _, _ in throw ModuleError.transient("sink.away", "away") }
        let fixture = Fixture(sink)
        let task = Task { try await fixture.settle(Self.batch(1)) }
        #expect(await waitUntil { sink.attempts > 3 })
        task.cancel()
        await #expect(throws: CancellationError.self) { try await task.value }
    }

    // MARK: Transforms

    @Test func aRecordThatATransformFailsOnIsDeadLetteredAlone() async throws {
        let sink = ScriptedTransactionalSink(Self.refusePoison)
        let transform = ScriptedTransform { batch in
            batch.map { record in
                switch record.offset % 4 {
                case 0: .fail(.permanent("jq.failed", "failed"))
                case 1: .drop
                case 2: .split([record, record])
                default: .keep(record)
                }
            }
        }
        let fixture = Fixture(sink, [transform])
        let tally = try await fixture.settle(Self.batch(40))
        #expect(tally.deadLettered == 10)
        #expect(tally.filtered == 10)
        #expect(tally.handled == 20)
        #expect(sink.handled.count == 30)
        #expect(fixture.deadLetters.count == 10)
        #expect(sink.storedOffset == 40)
    }

    @Test func oneBadPartOfASplitRecordDeadLettersItOnce() async throws {
        let sink = ScriptedSink(isAtomic: false) { batch, _ in .each(batch.map { $0.index == 1 ? Self.poison : nil }) }
        let fixture = Fixture(sink, [ScriptedTransform { $0.map { .split([$0, $0, $0]) } }])
        let tally = try await fixture.settle(Self.batch(2))
        #expect(tally.deadLettered == 2)
        #expect(tally.handled == 0)
        #expect(fixture.deadLetters.map(\.offset) == [0, 1])
    }

    @Test func aChainThatFailsPermanentlyAsAWholeDeadLettersTheBatch() async throws {
        let sink = ScriptedSink(isAtomic: true, Self.refusePoison)
        let fixture = Fixture(sink, [ScriptedTransform { _ in throw Self.poison }])
        #expect(try await fixture.settle(Self.batch(3)).deadLettered == 3)
        #expect(sink.handled.isEmpty)
    }
}
