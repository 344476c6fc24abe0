import Martlet
import TestSupport
import Testing

@testable import Pipelines

struct OutboxBufferTests {
    private static let small = Event(id: "e", key: nil, payload: "1", timestamp: 0)

    private static func row(_ sequence: Int64, _ event: Event = small) -> OutboxRow {
        OutboxRow(sequence: sequence, topic: "likes", event: event)
    }

    private static func rows(_ range: ClosedRange<Int64>) -> [OutboxRow] { range.map { row($0) } }

    @Test func itReadsTheDatabaseFirstAndThenServesFromMemory() {
        let buffer = OutboxBuffer()
        guard case .database(after: 0) = buffer.take() else {
            Issue.record("rows of an earlier run wait in the database")
            return
        }
        buffer.committed(Self.rows(1...2))
        // Not before the reader has caught up: those rows are its.
        guard case .database(after: 0) = buffer.take() else {
            Issue.record("it serves from memory before it has read the database")
            return
        }
        buffer.readFromDatabase(Self.rows(1...2), reachedEnd: true)
        buffer.committed(Self.rows(3...5))
        guard case .rows(let rows) = buffer.take() else {
            Issue.record("nothing in memory")
            return
        }
        #expect(rows.map(\.sequence) == [3, 4, 5])
        guard case .nothing = buffer.take() else {
            Issue.record("something where nothing is")
            return
        }
    }

    @Test func pastItsLimitsItKeepsTheHeadAndSpillsTheRest() {
        let buffer = OutboxBuffer()
        buffer.readFromDatabase([], reachedEnd: true)
        let large = Event(id: "e", key: nil, payload: Bytes([UInt8](repeating: 1, count: 1 << 20)), timestamp: 0)
        buffer.committed((1...40).map { Self.row($0, large) })
        buffer.committed([Self.row(41)])
        guard case .rows(let rows) = buffer.take() else {
            Issue.record("nothing in memory")
            return
        }
        #expect(rows.reduce(0) { $0 + $1.byteCount } <= OutboxBuffer.byteLimit)
        #expect(rows.map(\.sequence) == Array(1...Int64(rows.count)))
        guard case .database(after: Int64(rows.count)) = buffer.take() else {
            Issue.record("the rest is not read from the database")
            return
        }
    }

    @Test func afterAnUncertainCommitItLooksIntoTheDatabase() {
        let buffer = OutboxBuffer()
        buffer.readFromDatabase([], reachedEnd: true)
        buffer.committed(Self.rows(1...2))
        buffer.mayHaveMissedRows()
        guard case .rows(let rows) = buffer.take(), case .database(after: 2) = buffer.take() else {
            Issue.record("it does not look into the database")
            return
        }
        #expect(rows.count == 2)
    }

    /// Commits, uncertain commits, takes and reads in any order: each row leaves once, in order.
    @Test(arguments: 1...60 as ClosedRange<UInt64>)
    func eachRowLeavesOnceInOrder(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        let buffer = OutboxBuffer()
        var table = Self.rows(1...Int64.random(in: 1...20, using: &random))
        var published: [Int64] = []
        /// Set between the publisher's decision to read and the read itself, where commits may come between.
        var mustRead: Int64?
        func publish() {
            if let after = mustRead {
                let limit = Int.random(in: 1...12_000, using: &random)
                let page = Array(table.filter { $0.sequence > after }.prefix(limit))
                buffer.readFromDatabase(page, reachedEnd: page.count < limit)
                published += page.map(\.sequence)
                mustRead = nil
                return
            }
            switch buffer.take() {
            case .rows(let rows): published += rows.map(\.sequence)
            case .database(let after): mustRead = after
            case .nothing: break
            }
        }
        for _ in 0..<Int.random(in: 10...60, using: &random) {
            switch Int.random(in: 0..<8, using: &random) {
            case 0...3:
                let next = (table.last?.sequence ?? 0) + Int64.random(in: 1...3, using: &random)
                // Now and then more than memory takes.
                let count = Int.random(in: 0..<20, using: &random) == 0 ? 25_000 : Int.random(in: 1...50, using: &random)
                let rows = (0..<Int64(count)).map { Self.row(next + $0) }
                table += rows
                if Int.random(in: 0..<10, using: &random) == 0 {
                    buffer.mayHaveMissedRows()
                } else {
                    buffer.committed(rows)
                }
            default:
                publish()
            }
        }
        while published.count < table.count || mustRead != nil {
            let before = (published.count, mustRead)
            publish()
            if (published.count, mustRead) == before { break }
        }
        #expect(published == table.map(\.sequence))
    }

    @Test func aWaitEndsWhenThereIsSomethingToTake() async {
        let buffer = OutboxBuffer()
        buffer.readFromDatabase([], reachedEnd: true)
        async let waited: Void = buffer.wait()
        buffer.committed(Self.rows(1...1))
        await waited
        _ = buffer.take()
        async let closed: Void = buffer.wait()
        buffer.close()
        await closed
        #expect(buffer.isClosed)
    }
}

private func == (left: (Int, Int64?), right: (Int, Int64?)) -> Bool { left.0 == right.0 && left.1 == right.1 }
