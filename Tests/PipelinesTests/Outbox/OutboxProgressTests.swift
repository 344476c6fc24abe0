import Martlet
import Testing

@testable import Pipelines

struct OutboxProgressTests {
    private static func rows(_ range: ClosedRange<Int64>) -> [OutboxRow] {
        let event = Event(id: "e", key: nil, payload: "1", timestamp: 0)
        return range.map { OutboxRow(sequence: $0, topic: "likes", event: event) }
    }

    /// A database that fails each commit for hours, a full disk's, say.
    @Test func saveAfterSaveThatFailsTakesNoMemory() {
        let progress = OutboxProgress()
        progress.opened(waiting: 0, before: 1)
        for number in Int64(1)...100_000 { progress.mayExist(Self.rows(number...number)) }
        #expect(progress.uncertainPieces == 1)
        #expect(progress.waiting == 0)
        // The publisher finds one of them, and later rows are counted as before.
        progress.exist(Self.rows(500...500))
        #expect(progress.waiting == 1 && progress.uncertainPieces == 2)
        progress.exist(Self.rows(500...500))
        #expect(progress.waiting == 1)
        progress.exist(Self.rows(100_001...100_003))
        #expect(progress.waiting == 4)
        progress.exist(Self.rows(499...499))
        #expect(progress.waiting == 5)
        progress.acknowledged(through: 100_003)
        progress.removed(through: 100_003, count: 5)
        #expect(progress.waiting == 0 && progress.uncertainPieces == 0)
    }
}
