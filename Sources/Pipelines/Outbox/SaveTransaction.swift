import Martlet

/// One shared transaction of a ``SaveQueue``: the saves, their outbox rows, and the removal of acknowledged rows.
final class SaveTransaction: @unchecked Sendable {
    // Unchecked: touched only on the database's thread, by the body and then by the completion.
    var requests: [SaveRequest] = []
    private(set) var outcomes: [IntakeOutcome] = []
    private(set) var rows: [OutboxRow] = []
    private(set) var removed: (through: Int64, count: Int)?
    private(set) var hasBegun = false

    private let table: OutboxTable
    private let idempotency: IdempotencyTable
    private let owner: String
    private let sequences: OutboxSequences
    private let removable: Int64?

    init(table: OutboxTable, idempotency: IdempotencyTable, owner: String, sequences: OutboxSequences, removable: Int64?) {
        self.table = table
        self.idempotency = idempotency
        self.owner = owner
        self.sequences = sequences
        self.removable = removable
    }

    func execute(on connection: any DatabaseConnection) throws {
        hasBegun = true
        outcomes.reserveCapacity(requests.count)
        var next = 0
        while next < requests.count {
            if let repeatable = requests[next].idempotency {
                outcomes.append(try outcome(of: requests[next], repeatable, on: connection))
                next += 1
            } else {
                let end = requests[next...].firstIndex { $0.idempotency != nil } ?? requests.count
                try executeAll(requests[next..<end], on: connection)
                next = end
            }
        }
        if !rows.isEmpty { try table.insert(rows, owner: owner, connection) }
        if let removable {
            removed = (removable, try table.remove(owner: owner, through: removable, connection))
        }
    }

    /// The requests before one that may be a repetition go to the database together.
    private func executeAll(_ requests: ArraySlice<SaveRequest>, on connection: any DatabaseConnection) throws {
        let results = try connection.execute(requests.map { StatementCall($0.statement, $0.parameters) })
        for (request, result) in zip(requests, results) { outcomes.append(try outcome(of: request, result)) }
    }

    private func outcome(
        of request: SaveRequest, _ repeatable: IdempotentRequest, on connection: any DatabaseConnection
    ) throws -> IntakeOutcome {
        if let earlier = try idempotency.answer(to: repeatable, connection) { return earlier }
        let outcome = try outcome(of: request, try connection.execute(request.statement, request.parameters))
        try idempotency.keep(outcome, for: repeatable, connection)
        return outcome
    }

    private func outcome(of request: SaveRequest, _ result: ExecutionResult) throws -> IntakeOutcome {
        // A statement with RETURNING counts by its rows, another by its changes.
        guard result.columns.isEmpty ? result.changes > 0 : !result.rows.isEmpty else { return .unchanged }
        var saved: [String: DataValue] = [:]
        if let row = result.rows.first {
            for (column, value) in zip(result.columns, row) { saved[column] = value }
        }
        let (topic, event) = try request.makeEvent(saved)
        rows.append(OutboxRow(sequence: sequences.next(), topic: topic, event: event))
        return .saved(id: event.id, saved: saved)
    }
}
