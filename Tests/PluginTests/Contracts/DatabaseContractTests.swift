import Martlet
import MartletTesting
import SQLitePlugin
import TestSupport
import Testing

@Suite struct DatabaseContractTests {
    enum DatabaseFlaw: String, Flaw {
        case none, preparesBegin, opensWhileAway, closedIsPermanent, ignoresClose, keepsAfterThrow, losesDoubles, dataIsTransient
        case busyIsPermanent, hidesChanges, hidesRows, ignoresLimit, reversesRows

        var broken: String? {
            switch self {
            case .none: nil
            case .preparesBegin: "`BEGIN` was not refused"
            case .opensWhileAway, .ignoresClose, .closedIsPermanent: "says so when it is not open"
            case .keepsAfterThrow: "or rolled back whole"
            case .losesDoubles: "values come back as they were bound"
            case .dataIsTransient: "kind"
            case .busyIsPermanent: "write_queue"
            case .hidesChanges, .hidesRows: "statements handed over together"
            case .ignoresLimit, .reversesRows: "rows"
            }
        }
    }

    @Test(arguments: DatabaseFlaw.allCases) func aFlawIsSeen(_ flaw: DatabaseFlaw) async throws {
        let folder = try TemporaryFolder()
        await expectBroken(flaw) {
            try await DatabaseContract.verify { request in
                let file = request.isReachable ? "\(request.store).db" : "missing/\(request.store).db"
                let database = try TestHost(baseDirectory: folder.path).make(
                    SQLiteDatabase.self, #"{"path": "\#(file)", "synchronous": "normal", \#(request.commonFields)}"#)
                return FlawedDatabase(flaw, database)
            }
        }
    }
}

/// SQLite, but for one flaw.
private final class FlawedDatabase: Database {
    static let name = "flawed"
    static let summary = "For tests."
    private let flaw: DatabaseContractTests.DatabaseFlaw
    private let database: SQLiteDatabase

    init(_ flaw: DatabaseContractTests.DatabaseFlaw, _ database: SQLiteDatabase) {
        self.flaw = flaw
        self.database = database
    }

    init?(config: NoConfig, context: ModuleContext) { nil }

    func prepare(_ sql: String) throws(SQLProblem) -> SQLStatement {
        if flaw == .preparesBegin, sql == "BEGIN" { return SQLStatement(text: sql, parameterNames: []) }
        return try database.prepare(sql)
    }

    func open() async throws {
        do {
            try await database.open()
        } catch let error as ModuleError {
            if flaw != .opensWhileAway || error.kind != .transient { throw error }
        }
    }

    func transaction(
        _ body: @escaping @Sendable (any DatabaseConnection) throws -> Void,
        completion: @escaping @Sendable (Result<Void, ModuleError>) -> Void
    ) {
        let flaw = flaw
        database.transaction({ connection in
            if flaw == .keepsAfterThrow {
                try? body(FlawedConnection(flaw: flaw, connection: connection))
            } else {
                try body(FlawedConnection(flaw: flaw, connection: connection))
            }
        }, completion: { completion($0.mapError { Self.changed($0, flaw) }) })
    }

    private static func changed(_ error: ModuleError, _ flaw: DatabaseContractTests.DatabaseFlaw) -> ModuleError {
        switch (flaw, error.kind) {
        case (.dataIsTransient, .permanent): .transient(error.code, error.message)
        case (.busyIsPermanent, .transient) where error.code == "database.overloaded": .permanent(error.code, error.message)
        case (.closedIsPermanent, .transient) where error.code != "database.overloaded": .permanent(error.code, error.message)
        default: error
        }
    }

    func query(_ statement: SQLStatement, _ parameters: [DataValue], limit: Int) async throws -> QueryResult {
        let result = try await database.query(statement, parameters, limit: flaw == .ignoresLimit ? 100_000 : limit)
        var rows = flaw == .reversesRows ? result.rows.reversed() : result.rows
        if flaw == .losesDoubles {
            rows = rows.map { $0.map { value in if case .double(let double) = value { .text("\(double)") } else { value } } }
        }
        return QueryResult(columns: result.columns, rows: rows)
    }

    func columns(of table: String) async throws -> [String]? { try await database.columns(of: table) }

    func close() async {
        if flaw != .ignoresClose { await database.close() }
    }
}

private struct FlawedConnection: DatabaseConnection {
    let flaw: DatabaseContractTests.DatabaseFlaw
    let connection: any DatabaseConnection

    func execute(_ statement: SQLStatement, _ parameters: [DataValue]) throws(ModuleError) -> ExecutionResult {
        let result = try connection.execute(statement, parameters)
        return ExecutionResult(
            changes: flaw == .hidesChanges ? 0 : result.changes, columns: result.columns, rows: flaw == .hidesRows ? [] : result.rows)
    }

    func insertRows(_ insert: RowInsert, _ rows: [[DataValue]]) throws(ModuleError) -> Int {
        try connection.insertRows(insert, rows)
    }
}
