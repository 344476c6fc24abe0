import Foundation
import Martlet
import Synchronization
import TestSupport
import Testing

@testable import Pipelines

/// From the save to the log, through stops, refusals and lost answers.
struct OutboxTests {
    private static let full = ModuleError.transient("log.storage_full", "full")

    @Test func whatTheLogRefusesIsPublishedLaterInOrder() async throws {
        let fixture = try await OutboxFixture(in: TemporaryFolder())
        try await fixture.open()
        fixture.log.refuse(Self.full)
        for number in 0..<40 { try fixture.submit(number, actor: "a\(number)") }
        #expect(await fixture.waitForAnswers(40))
        #expect(fixture.published.isEmpty)
        fixture.log.refuse(nil)
        for number in 40..<60 { try fixture.submit(number, actor: "a\(number)") }
        #expect(await waitUntil { fixture.published.count == 60 })
        #expect(fixture.published == (0..<60).map { "a\($0)" })
        // Acknowledged rows leave the database although no other save comes.
        #expect(await waitUntil { fixture.outbox.waiting == 0 })
        #expect(try await fixture.rows("SELECT event_id FROM martlet_outbox").isEmpty)
        await fixture.close()
    }

    @Test func whatWaitsAtAStopIsPublishedAfterTheNextStart() async throws {
        let folder = try TemporaryFolder()
        let log = MemoryLog()
        for start in 0..<4 {
            log.refuse(start < 3 ? Self.full : nil)
            let fixture = try await OutboxFixture(in: folder, log: log)
            try await fixture.open()
            for number in 0..<10 { try fixture.submit(number, actor: "a\(start * 10 + number)") }
            #expect(await fixture.waitForAnswers(10))
            if start == 3 { #expect(await waitUntil { log.records(of: "likes").count == 40 }) }
            await fixture.close()
        }
        #expect(log.records(of: "likes").map(\.text) == (0..<40).map { "a\($0)" })
    }

    /// Not every log knows a row again that it has already.
    @Test func whatTheLogHasIsRemovedAtAStop() async throws {
        let folder = try TemporaryFolder()
        let fixture = try await OutboxFixture(in: folder)
        try await fixture.open()
        for number in 0..<10 { try fixture.submit(number, actor: "a\(number)") }
        #expect(await waitUntil { fixture.published.count == 10 })
        await fixture.outbox.close()
        #expect(try await fixture.rows("SELECT event_id FROM martlet_outbox").isEmpty)
        #expect(fixture.outbox.waiting == 0)
        await fixture.database.close()
    }

    /// The log has the rows, and the database is as it was before: the removal was never committed, or a backup was
    /// restored. The log drops what it has by the rows' numbers, and takes what is new.
    @Test func aRestoredDatabasePublishesNothingTwiceAndNothingNewIsTakenForOld() async throws {
        let folder = try TemporaryFolder()
        let log = MemoryLog()
        log.refuse(Self.full)
        var fixture = try await OutboxFixture(in: folder, log: log)
        try await fixture.open()
        for number in 0..<5 { try fixture.submit(number, actor: "old\(number)") }
        #expect(await fixture.waitForAnswers(5))
        await fixture.close()
        try FileManager.default.copyItem(atPath: folder.path + "/main.db", toPath: folder.path + "/backup")

        log.refuse(nil)
        fixture = try await OutboxFixture(in: folder, log: log)
        try await fixture.open()
        for number in 0..<5 { try fixture.submit(number, actor: "lost\(number)") }
        #expect(await waitUntil { log.records(of: "likes").count == 10 })
        await fixture.close()

        try FileManager.default.removeItem(atPath: folder.path + "/main.db")
        try FileManager.default.moveItem(atPath: folder.path + "/backup", toPath: folder.path + "/main.db")
        // The numbering goes by seconds, and two openings in one second have taken the next one too.
        let second = Timestamp.now() / 1000
        #expect(await waitUntil { Timestamp.now() / 1000 > second + 1 })
        fixture = try await OutboxFixture(in: folder, log: log)
        try await fixture.open()
        for number in 0..<5 { try fixture.submit(number, actor: "new\(number)") }
        #expect(await waitUntil { log.records(of: "likes").count == 15 })
        await fixture.close()
        let names = ["old", "lost", "new"].flatMap { name in (0..<5).map { "\(name)\($0)" } }
        #expect(log.records(of: "likes").map(\.text) == names)
    }

    /// The commit took place and its answer was lost: the client is told 503, and the notification comes all the same,
    /// in its order, before a later row's removal could sweep it away.
    @Test func aCommitWhoseAnswerWasLostIsPublished() async throws {
        let uncertain = Mutex<UncertainDatabase?>(nil)
        let fixture = try await OutboxFixture(in: TemporaryFolder()) { base in
            let database = UncertainDatabase(base)
            uncertain.withLock { $0 = database }
            return database
        }
        try await fixture.open()
        try fixture.submit(0, actor: "a0")
        // The row is gone too, so that no other transaction comes between.
        #expect(await waitUntil { fixture.published == ["a0"] && fixture.outbox.waiting == 0 })
        uncertain.withLock { $0?.loseNextAnswers(1) }
        try fixture.submit(1, actor: "a1")
        #expect(await waitUntil { fixture.answer(to: 1) == "unavailable database.commit_uncertain" })
        try fixture.submit(2, actor: "a2")
        #expect(await waitUntil { fixture.published.count == 3 })
        #expect(fixture.published == ["a0", "a1", "a2"])
        #expect(await waitUntil { fixture.outbox.waiting == 0 })
        #expect(try await fixture.rows("SELECT event_id FROM martlet_outbox").isEmpty)
        await fixture.close()
    }

    /// Events too large to be read or appended by the thousand.
    @Test func largeEventsComeInPagesOfBoundedSize() async throws {
        let folder = try TemporaryFolder()
        let log = MemoryLog()
        log.refuse(Self.full)
        let payload = String(repeating: "x", count: 200_000)
        var fixture = try await OutboxFixture(in: folder, log: log)
        try await fixture.open()
        for number in 0..<200 { try fixture.submit(number, actor: "a\(number)", payload: "\(number) \(payload)") }
        #expect(await fixture.waitForAnswers(200))
        await fixture.close()
        log.refuse(nil)
        fixture = try await OutboxFixture(in: folder, log: log)
        try await fixture.open()
        #expect(await waitUntil { log.records(of: "likes").count == 200 })
        #expect(log.records(of: "likes").map { $0.text.prefix { $0 != " " } } == (0..<200).map { "\($0)" })
        #expect(log.appendSizes.allSatisfy { $0 <= 4 << 20 })
        #expect(log.appendSizes.count >= 9)
        await fixture.close()
    }

    /// The limit was lowered while they waited, from memory or over a restart: the first is deleted as the error says, for the
    /// second the limit is raised again.
    @Test(arguments: [false, true])
    func eventsThatTheLogCannotTakeAnyMoreAreNamedAndCanBeGivenUp(restarts: Bool) async throws {
        let folder = try TemporaryFolder()
        let (log, lines) = (MemoryLog(), Lines())
        let logger = Logger(output: LogOutput(minimum: .error, format: .text, sink: lines.append))
        log.refuse(Self.full)
        var fixture = try await OutboxFixture(in: folder, log: log, logger: logger)
        try await fixture.open()
        let large = String(repeating: "x", count: 10_000)
        for number in 0..<9 { try fixture.submit(number, actor: "a\(number)", payload: [3, 6].contains(number) ? large : "\(number)") }
        #expect(await fixture.waitForAnswers(9))
        if restarts {
            await fixture.close()
            fixture = try await OutboxFixture(in: folder, log: log, logger: logger)
            try await fixture.open()
        }
        log.limitEvents(to: 5_000)
        log.refuse(nil)
        // What comes before it is not held back.
        #expect(await waitUntil { fixture.published == ["0", "1", "2"] })
        #expect(await waitUntil { lines.count(of: "event=e3") > 0 })
        let line = try #require(lines.all.first { $0.contains("event=e3") })
        #expect(line.contains("the limit is 5000") && line.contains("raise `log.max_record_bytes`"))
        let statement = try #require(line.firstRange(of: "DELETE FROM ")).lowerBound
        let sql = String(line[statement...].prefix { $0 != "\n" }.split(separator: " code=")[0])
        let delete = try fixture.database.prepare(sql)
        #expect(try await fixture.database.transaction { try $0.execute(delete, []).changes } == 1)
        #expect(await waitUntil { fixture.published == ["0", "1", "2", "4", "5"] })
        #expect(await waitUntil { lines.count(of: "event=e6") > 0 })
        log.limitEvents(to: 20_000)
        #expect(await waitUntil { fixture.published == ["0", "1", "2", "4", "5", large, "7", "8"] })
        #expect(await waitUntil { fixture.outbox.waiting == 0 })
        #expect(try await fixture.rows("SELECT event_id FROM martlet_outbox").isEmpty)
        await fixture.close()
    }

    /// With a log that keeps the other rows of an append, those behind a row that it cannot take are not published again and
    /// again.
    @Test func whatFollowsAHeldRowIsNotPublishedWithEachTry() async throws {
        let (log, lines) = (MemoryLog(), Lines())
        let logger = Logger(output: LogOutput(minimum: .error, format: .text, sink: { lines.append($0) }))
        log.refuse(Self.full)
        let fixture = try await OutboxFixture(in: try TemporaryFolder(), log: log, logger: logger)
        try await fixture.open()
        let large = String(repeating: "x", count: 10_000)
        for number in 0..<9 { try fixture.submit(number, actor: "a\(number)", payload: number == 3 ? large : "\(number)") }
        #expect(await fixture.waitForAnswers(9))
        log.keepTheRestOfRefusedAppends()
        log.limitEvents(to: 5_000)
        log.refuse(nil)
        // At the first, the second and the fourth try.
        #expect(await waitUntil { lines.all.count(where: { $0.contains("event=e3") }) == 3 })
        #expect(fixture.published.count(where: { $0 == "8" }) == 1)
        log.limitEvents(to: .max)
        #expect(await waitUntil { fixture.published.suffix(6) == [large, "4", "5", "6", "7", "8"] })
        await fixture.close()
    }

    @Test func eventsKeepEverythingOnTheirWayThroughTheDatabase() async throws {
        let folder = try TemporaryFolder()
        let log = MemoryLog()
        log.refuse(Self.full)
        let event = Event(
            id: "id-1", key: Bytes([0, 255, 10]), headers: [Header("a", Bytes([1, 0, 254])), Header("ü\"", "text"), Header("a", .empty)],
            payload: Bytes([0, 1, 2, 255]), timestamp: 1_234_567_890_123)
        var fixture = try await OutboxFixture(in: folder, log: log)
        try await fixture.open()
        try fixture.submit(0, actor: "a", event: event)
        #expect(await fixture.waitForAnswers(1))
        await fixture.close()
        log.refuse(nil)
        fixture = try await OutboxFixture(in: folder, log: log)
        try await fixture.open()
        #expect(await waitUntil { log.records(of: "likes").count == 1 })
        let found = try #require(log.records(of: "likes").first?.event)
        #expect(found.id == event.id)
        #expect(found.key == event.key)
        #expect(found.payload == event.payload)
        #expect(found.timestamp == event.timestamp)
        #expect(found.headers.map(\.name) == event.headers.map(\.name))
        #expect(found.headers.map(\.value) == event.headers.map(\.value))
        await fixture.close()
    }
}
