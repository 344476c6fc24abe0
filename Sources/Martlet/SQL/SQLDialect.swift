/// How a backend writes SQL, as far as finding parameters and refusing what must not run needs it.
///
/// Parameters are written `:name` on every backend; ``statement(_:)`` translates them to the backend's own.
public struct SQLDialect: Sendable {
    /// The product's name, for messages.
    public let backend: String
    /// The character before a parameter's number: `?` makes `?1`, `$` makes `$1`.
    let placeholder: Character
    /// `[name]` and `` `name` `` quote identifiers.
    let quotesWithBracketsAndBackticks: Bool
    /// `$tag$ … $tag$` and `E'…\'…'` are strings, and comments nest.
    let hasPostgreSQLStrings: Bool
    /// First words of statements that are refused, each with the reason.
    let refusedStatements: [String: String]

    /// SQLite's SQL.
    public static let sqlite = SQLDialect(
        backend: "SQLite", placeholder: "?", quotesWithBracketsAndBackticks: true, hasPostgreSQLStrings: false,
        refusedStatements: transactionControl.merging([
            "ATTACH": "it would reach another file",
            "DETACH": "it would reach another file",
            "PRAGMA": "it changes how the connection works; the database's own settings do that",
            "VACUUM": "it cannot run inside a transaction; run it with the sqlite3 tool",
        ]) { $1 })

    /// PostgreSQL's SQL.
    public static let postgreSQL = SQLDialect(
        backend: "PostgreSQL", placeholder: "$", quotesWithBracketsAndBackticks: false, hasPostgreSQLStrings: true,
        refusedStatements: transactionControl.merging([
            "COPY": "it would take over the connection",
            "SET": "it changes the connection for everyone; set it for the role with ALTER ROLE, or in the url's options",
            "RESET": "it changes the connection for everyone",
            "DISCARD": "it changes the connection for everyone",
            "LISTEN": "it changes the connection for everyone",
            "UNLISTEN": "it changes the connection for everyone",
            "PREPARE": "statements are prepared without asking",
            "EXECUTE": "statements are prepared without asking",
            "DEALLOCATE": "statements are prepared without asking",
            "VACUUM": "it cannot run inside a transaction; run it with psql",
        ]) { $1 })

    private static let transactionControl: [String: String] = Dictionary(
        uniqueKeysWithValues: [
            "BEGIN", "COMMIT", "ROLLBACK", "SAVEPOINT", "RELEASE", "END", "ABORT", "START",
        ].map { ($0, "the platform begins and ends transactions itself") })

    /// Checks one statement and translates its parameters. Does not connect.
    ///
    /// - Throws: ``SQLProblem`` for no statement or several, a refused one, a placeholder that is not `:name`, a string,
    ///   identifier or comment that does not end.
    public func statement(_ sql: String) throws(SQLProblem) -> SQLStatement {
        var scanner = SQLScanner(sql, dialect: self)
        var text: [UInt8] = []
        var copied = 0
        var names: [String] = []
        var hasStatement = false
        var hasEnded = false
        while let token = try scanner.next() {
            if token.kind == .semicolon {
                hasEnded = hasStatement
                continue
            }
            guard !hasEnded else {
                throw SQLProblem("only one statement is allowed; another begins with \(scanner.excerpt(token))", at: token.range.lowerBound)
            }
            if !hasStatement { try refuse(token, scanner) }
            hasStatement = true
            guard token.kind == .parameter else { continue }
            let name = scanner.text(token.range.dropFirst())
            let index = names.firstIndex(of: name) ?? names.count
            if index == names.count { names.append(name) }
            text += scanner.bytes[copied..<token.range.lowerBound]
            text += "\(placeholder)\(index + 1)".utf8
            copied = token.range.upperBound
        }
        guard hasStatement else { throw SQLProblem("must be an SQL statement; there is none") }
        text += scanner.bytes[copied...]
        return SQLStatement(text: String(decoding: text, as: UTF8.self), parameterNames: names)
    }

    /// Checks that none of several statements, separated by `;`, is refused: for the steps of a schema.
    ///
    /// Words after a `;` inside a trigger's body count as first words too, except its `END`.
    public func checkScript(_ sql: String) throws(SQLProblem) {
        var scanner = SQLScanner(sql, dialect: self)
        var isFirst = true
        var hasAny = false
        while let token = try scanner.next() {
            if token.kind == .semicolon {
                isFirst = true
                continue
            }
            hasAny = true
            if isFirst, !(token.kind == .word && scanner.text(token.range).uppercased() == "END") {
                try refuse(token, scanner)
            }
            isFirst = false
        }
        guard hasAny else { throw SQLProblem("must hold SQL statements; there are none") }
    }

    private func refuse(_ token: SQLScanner.Token, _ scanner: SQLScanner) throws(SQLProblem) {
        guard token.kind == .word else { return }
        let word = scanner.text(token.range).uppercased()
        if let reason = refusedStatements[word] {
            throw SQLProblem("\(word) is not allowed: \(reason)", at: token.range.lowerBound)
        }
    }
}
