import CPQ
import Martlet

/// What the server reported, and what it means for the runtime.
/// Codes: https://www.postgresql.org/docs/15/errcodes-appendix.html
struct PostgreSQLFailure {
    static let connectionLostCode = "postgres.connection_lost"

    private let settings: PostgreSQLSettings
    private let state: String
    private let message: String
    private let sql: String
    private let role: ConnectionRole
    private let isInCatalog: Bool
    /// The server ends the connection after this error, or libpq has lost it.
    let endsConnection: Bool

    init(_ settings: PostgreSQLSettings, _ result: OpaquePointer, sql: String, role: ConnectionRole) {
        func text(_ pointer: UnsafePointer<CChar>?) -> String? { pointer.map { String(cString: $0) } }
        self.settings = settings
        self.sql = sql
        self.role = role
        state = text(martlet_pq_sqlstate(result)) ?? ""
        let severity = text(martlet_pq_severity(result))
        endsConnection = severity == nil || severity == "FATAL" || severity == "PANIC"
        isInCatalog = text(martlet_pq_schema(result)) == "pg_catalog"
        // The detail is left out: it quotes the row.
        let primary = text(martlet_pq_primary(result)) ?? text(PQresultErrorMessage(result)) ?? "no message"
        let constraint = text(martlet_pq_constraint(result)).map { primary.contains($0) ? "" : " (constraint \($0))" } ?? ""
        let hint = text(martlet_pq_hint(result)).map { "; hint: \($0)" } ?? ""
        message = settings.clean(primary + constraint + hint)
    }

    /// Whether the server reported it; otherwise libpq has found that the connection is gone.
    var isOfServer: Bool { !state.isEmpty }

    /// Why no connection could be made.
    static func connecting(_ settings: PostgreSQLSettings, _ handle: OpaquePointer) -> ModuleError {
        let message = settings.clean(String(cString: PQerrorMessage(handle)))
        let text = "database `\(settings.name)`: \(message)"
        // libpq 15 does not tell the SQLSTATE here. What is not recognised is tried again, which does no harm.
        let refusals = [
            "authentication failed", "no pg_hba.conf entry", "no password supplied", "role \"", "database \"",
            "certificate", "SSL error", "does not support SSL", "sslmode value", "sslrootcert",
        ]
        if refusals.contains(where: { message.contains($0) }), !message.contains("starting up"), !message.contains("shutting down") {
            return .blocked("postgres.refused", text + "; check user, password, database and TLS settings in `url`")
        }
        return .transient("postgres.unreachable", text + "; check that the server runs and the address in `url`")
    }

    /// The error for the runtime.
    var error: ModuleError {
        switch state {
        case "57014":
            return DatabaseError.timeout(
                settings.name, "statement_timeout_ms", settings.statementTimeoutMilliseconds, sql)
        case "25006" where role == .reader:
            return .blocked("postgres.read_only", text("a query may only read"))
        case "25006":
            return .transient(
                "postgres.read_only",
                text("the server only reads (a standby, or default_transaction_read_only); with several hosts in `url` add target_session_attrs=read-write"))
        case "40003": return .transient("postgres.unreachable", text("nobody knows whether the statement was completed"))
        case "53100": return .transient("postgres.full", text("the server's disk is full"))
        case "55P03", "55006", "25P03": return .transient("postgres.busy", text("try again"))
        case "26000": return .transient("postgres.statement_forgotten", text("the server has forgotten a prepared statement"))
        case "0A000" where message.contains("cached plan"):
            return .transient("postgres.statement_changed", text("the table was changed; the statement is prepared again"))
        case "23505" where isInCatalog:
            // CREATE … IF NOT EXISTS of two hosts at once.
            return .transient("postgres.catalog_race", text("another host made the same at the same time"))
        case "42P18": return .blocked("postgres.statement", text("say the parameter's type, such as `:name::text`"))
        case "P0001", "21000", "44000": return .permanent("postgres.constraint", text("the values break a rule of the table"))
        case "54000": return .permanent("postgres.too_big", text("a value is too long"))
        default: return classError
        }
    }

    private var classError: ModuleError {
        switch state.prefix(2) {
        case "22": .permanent("postgres.value", text("a value does not fit"))
        case "23": .permanent("postgres.constraint", text("the values break a rule of the table"))
        case "08", "57": .transient("postgres.unreachable", text("the connection is made again"))
        case "40": .conflict("postgres.conflict", text("the transaction gave way to another one; run it again"))
        case "53", "58": .transient("postgres.exhausted", text("the server is short of something: see its log"))
        case "28", "3D": .blocked("postgres.refused", text("check user, password and database in `url`"))
        case "42": .blocked("postgres.statement", text("mend the statement, or make what it names with a schema step"))
        case "25": .transient("postgres.transaction_state", text("the transaction is run again"))
        default: .blocked("postgres.failed", text("see the server's log"))
        }
    }

    private func text(_ advice: String) -> String {
        "database `\(settings.name)`: \(message) (SQLSTATE \(state.isEmpty ? "none" : state)); \(advice): \(sqlExcerpt(sql))"
    }
}
