import Martlet
import Testing

@testable import Pipelines

struct OutboxBufferTests {
    private func row(_ sequence: Int64) -> OutboxRow {
        OutboxRow(sequence: sequence, topic: "t", event: Event(id: "id", key: nil, payload: "{}", timestamp: 0))
    }

    private func sequences(_ next: OutboxBuffer.Next) -> [Int64] {
        if case .rows(let rows) = next { rows.map(\.sequence) } else { [] }
    }

    private func databaseAfter(_ next: OutboxBuffer.Next) -> Int64? {
        if case .database(let after) = next { after } else { nil }
    }

    @Test func beginsInTheDatabaseThenGoesThroughMemory() {
        let buffer = OutboxBuffer()
        #expect(databaseAfter(buffer.take()) == 0)
        buffer.readFromDatabase([row(1)], reachedEnd: true)
        buffer.committed([row(2), row(3)])
        #expect(sequences(buffer.take()) == [2, 3])
        guard case .nothing = buffer.take() else {
            Issue.record("there is nothing left")
            return
        }
    }

    @Test func afterAnUncertainCommitNothingOvertakesItsRows() {
        let buffer = OutboxBuffer()
        buffer.readFromDatabase([], reachedEnd: true)
        buffer.committed([row(1)])
        buffer.mayHaveMissedRows()  // rows 2 and 3 may be in the database
        buffer.committed([row(4)])
        #expect(sequences(buffer.take()) == [1])
        #expect(databaseAfter(buffer.take()) == 1)
        buffer.readFromDatabase([row(2), row(3), row(4)], reachedEnd: true)
        buffer.committed([row(5)])
        #expect(sequences(buffer.take()) == [5])
    }
}
