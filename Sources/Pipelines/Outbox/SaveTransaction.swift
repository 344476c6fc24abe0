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
        for request in requests {
            outcomes.append(try outcome(of: request, on: connection))
        }
        if !rows.isEmpty { try table.insert(rows, owner: owner, connection) }
        if let removable {
            removed = (removable, try table.remove(owner: owner, through: removable, connection))
        }
    }

    private func outcome(of request: SaveRequest, on connection: any DatabaseConnection) throws -> IntakeOutcome {
        guard let repeatable = request.idempotency else { return try execute(request, on: connection) }
        if let earlier = try idempotency.answer(to: repeatable, connection) { return earlier }
        let outcome = try execute(request, on: connection)
        try idempotency.keep(outcome, for: repeatable, connection)
        return outcome
    }

    private func execute(_ request: SaveRequest, on connection: any DatabaseConnection) throws -> IntakeOutcome {
        let result = try connection.execute(request.statement, request.parameters)
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
