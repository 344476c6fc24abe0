import Martlet
import Synchronization
import TestSupport
import Testing

@testable import Pipelines

/// Saves that share transactions, over a real SQLite file.
struct SaveQueueTests {
    @Test(arguments: 1...5 as ClosedRange<UInt64>)
    func eachRequestEndsAsIfItHadRunByItself(seed: UInt64) async throws {
        var random = SeededGenerator(seed: seed)
        let fixture = try await OutboxFixture(in: TemporaryFolder())
        try await fixture.open()
        var wanted: [Int: String] = [:]
        var saved: [String] = []
        for number in 0..<300 {
            switch Int.random(in: 0..<12, using: &random) {
            case 0:
                try fixture.submit(number, actor: "bad")
                wanted[number] = "rejected sqlite.constraint"
            case 1:
                try fixture.submit(number, actor: "a\(number)", sql: "INSERT INTO nowhere(actor) VALUES (:actor)")
                wanted[number] = "unavailable sqlite.statement"
            case 2 where !saved.isEmpty:
                try fixture.submit(number, actor: saved.randomElement(using: &random) ?? "")
                wanted[number] = "unchanged"
            case 3:
                try fixture.submit(number, actor: "a\(number)", failure: .permanent("publish.bad_id", "no id"))
                wanted[number] = "rejected publish.bad_id"
            default:
                try fixture.submit(number, actor: "a\(number)")
                wanted[number] = "saved"
                saved.append("a\(number)")
            }
        }
        #expect(await fixture.waitForAnswers(300))
        for (number, outcome) in wanted { #expect(fixture.answer(to: number) == outcome, "request \(number), seed \(seed)") }
        #expect(Set(try await fixture.rows("SELECT actor FROM likes")) == Set(saved))
        #expect(await waitUntil { fixture.published.count == saved.count })
        #expect(fixture.published == saved)
        await fixture.close()
    }

    @Test func requestsAreRefusedWhileItIsClosed() async throws {
        let fixture = try await OutboxFixture(in: TemporaryFolder())
        try fixture.submit(0, actor: "early")
        #expect(fixture.answer(to: 0) == "unavailable outbox.closed")
        try await fixture.open()
        try fixture.submit(1, actor: "a")
        #expect(await fixture.waitForAnswers(2))
        await fixture.close()
        try fixture.submit(2, actor: "late")
        #expect(fixture.answer(to: 2) == "unavailable outbox.closed")
        #expect(fixture.answer(to: 1) == "saved")
    }

    @Test func theLimitHoldsWhileTheLogRefuses() async throws {
        let fixture = try await OutboxFixture(in: TemporaryFolder(), limitEvents: 10)
        fixture.log.refuse(.transient("log.storage_full", "full"))
        try await fixture.open()
        for number in 0..<50 { try fixture.submit(number, actor: "a\(number)") }
        #expect(await fixture.waitForAnswers(50))
        let outcomes = (0..<50).compactMap { fixture.answer(to: $0) }
        #expect(outcomes.filter { $0 == "saved" }.count == 10)
        #expect(outcomes.filter { $0 == "unavailable outbox.full" }.count == 40)
        #expect(fixture.outbox.waiting == 10)
        fixture.log.refuse(nil)
        #expect(await waitUntil { fixture.outbox.waiting == 0 })
        try fixture.submit(50, actor: "again")
        #expect(await waitUntil { fixture.answer(to: 50) == "saved" })
        await fixture.close()
    }

    @Test func theBytesThatWaitAreBounded() async throws {
        let fixture = try await OutboxFixture(in: TemporaryFolder())
        try await fixture.open()
        let gate = TestGate()
        fixture.database.urgentTransaction({ _ in gate.hold() }, completion: { _ in })
        await gate.isHeld()
        let quarter = String(repeating: "x", count: SaveQueue.byteLimit / 4)
        for number in 0..<6 { try fixture.submit(number, actor: "a\(number)", payload: quarter) }
        #expect(await fixture.waitForAnswers(3))
        #expect((3..<6).allSatisfy { fixture.answer(to: $0) == "unavailable outbox.overloaded" })
        gate.release()
        #expect(await fixture.waitForAnswers(6))
        #expect((0..<3).allSatisfy { fixture.answer(to: $0) == "saved" })
        await fixture.close()
    }
}
