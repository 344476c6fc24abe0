import Martlet
import Testing

struct SQLDialectTests {
    @Test(arguments: [
        ("SELECT 1", "SELECT 1", []),
        ("SELECT :a", "SELECT ?1", ["a"]),
        ("SELECT :a, :b, :a", "SELECT ?1, ?2, ?1", ["a", "b"]),
        ("SELECT ':a', \":b\", `:c`, [:d]", "SELECT ':a', \":b\", `:c`, [:d]", []),
        ("SELECT 'it''s :a', :b", "SELECT 'it''s :a', ?1", ["b"]),
        ("SELECT 1 -- :a\n, :b /* :c */;", "SELECT 1 -- :a\n, ?1 /* :c */;", ["b"]),
        ("SELECT :a;  -- done\n ;", "SELECT ?1;  -- done\n ;", ["a"]),
        ("VALUES(:post_id,:Actor2)", "VALUES(?1,?2)", ["post_id", "Actor2"]),
        ("SELECT '☃', :é IS NULL", nil, []),
        ("WITH x AS (SELECT 1) SELECT :a FROM x", "WITH x AS (SELECT 1) SELECT ?1 FROM x", ["a"]),
    ] as [(String, String?, [String])])
    func translatesForSQLite(sql: String, text: String?, names: [String]) throws {
        guard let text else {
            #expect(throws: SQLProblem.self) { try SQLDialect.sqlite.statement(sql) }
            return
        }
        let statement = try SQLDialect.sqlite.statement(sql)
        #expect(statement.text == text)
        #expect(statement.parameterNames == names)
    }

    @Test(arguments: [
        ("SELECT :a::bigint, x::text", "SELECT $1::bigint, x::text", ["a"]),
        ("SELECT $$ :a $$, $t$ :b $$ $t$, :c", "SELECT $$ :a $$, $t$ :b $$ $t$, $1", ["c"]),
        ("SELECT E'it\\'s :a', :b", "SELECT E'it\\'s :a', $1", ["b"]),
        ("SELECT 1 /* a /* :b */ :c */, :d", "SELECT 1 /* a /* :b */ :c */, $1", ["d"]),
        ("SELECT x[1:n], y[:a]", "SELECT x[1:n], y[$1]", ["a"]),
        ("SELECT data ? 'a', data @> :b, data #>> '{a}'", "SELECT data ? 'a', data @> $1, data #>> '{a}'", ["b"]),
        ("SELECT f(x := :a)", "SELECT f(x := $1)", ["a"]),
        ("SELECT a$1 FROM t", "SELECT a$1 FROM t", []),
    ] as [(String, String, [String])])
    func translatesForPostgreSQL(sql: String, text: String, names: [String]) throws {
        let statement = try SQLDialect.postgreSQL.statement(sql)
        #expect(statement.text == text)
        #expect(statement.parameterNames == names)
    }

    @Test(arguments: [
        ("", "must be an SQL statement; there is none", nil),
        (" -- :a", "must be an SQL statement; there is none", nil),
        ("SELECT 1; DELETE FROM t", "only one statement is allowed; another begins with `DELETE FROM t`", 10),
        ("begin", "BEGIN is not allowed: the platform begins and ends transactions itself", 0),
        (" /* x */ Commit", "COMMIT is not allowed: the platform begins and ends transactions itself", 9),
        ("ATTACH 'x' AS y", "ATTACH is not allowed: it would reach another file", 0),
        ("SELECT ?", "parameters are written `:name`, not `?`", 7),
        ("SELECT ?12", "parameters are written `:name`, not `?12`", 7),
        ("SELECT @a", "parameters are written `:name`, not `@a`", 7),
        ("SELECT $a", "parameters are written `:name`, not `$a`", 7),
        ("SELECT :1", "a parameter is written `:name`, with a name that begins with a letter or `_`", 7),
        ("SELECT 'open", "the string that begins with `'open` does not end", 7),
        ("SELECT \"open", "the quoted identifier that begins with `\"open` does not end", 7),
        ("SELECT [open", "the quoted identifier that begins with `[open` does not end", 7),
        ("SELECT /* open", "the comment that begins with /* does not end with */", 7),
    ] as [(String, String, Int?)])
    func refuses(sql: String, message: String, offset: Int?) {
        let problem = #expect(throws: SQLProblem.self) { try SQLDialect.sqlite.statement(sql) }
        #expect(problem?.message == message)
        #expect(problem?.offset == offset)
    }

    @Test(arguments: ["COPY t FROM STDIN", "SET search_path = x", "LISTEN x", "SELECT $1", "SELECT $a$ open"])
    func refusesInPostgreSQL(sql: String) {
        #expect(throws: SQLProblem.self) { try SQLDialect.postgreSQL.statement(sql) }
    }

    @Test func allowsTriggersInScripts() throws {
        try SQLDialect.sqlite.checkScript(
            "CREATE TABLE a (x); CREATE TRIGGER t AFTER INSERT ON a BEGIN UPDATE a SET x = 1; SELECT 1; END; SELECT 2")
        #expect(throws: SQLProblem.self) { try SQLDialect.sqlite.checkScript("SELECT 1; COMMIT") }
        #expect(throws: SQLProblem.self) { try SQLDialect.sqlite.checkScript(" -- nothing") }
    }

    @Test func survivesAnyBytes() {
        var random = SystemRandomNumberGenerator()
        let pieces = [
            "'", "\"", "`", "[", "]", ":", "::", "a", "$", "$$", "$1", "?", "E'", "\\", "--", "\n", "/*", "*/", ";", "é", "0", "@", " ",
        ]
        for _ in 0..<2_000 {
            let sql = (0..<Int.random(in: 0...12, using: &random)).map { _ in pieces.randomElement(using: &random) ?? "" }.joined()
            for dialect in [SQLDialect.sqlite, .postgreSQL] {
                _ = try? dialect.statement(sql)
                _ = try? dialect.checkScript(sql)
            }
        }
    }
}
