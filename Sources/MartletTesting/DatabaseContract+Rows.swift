import Martlet

extension DatabaseContract {
    func verifyValues() async throws {
        let promise = Promise("values come back as they were bound, with the types that the table declares")
        let table = "CREATE TABLE v (id BIGINT PRIMARY KEY, t TEXT, i BIGINT, d DOUBLE PRECISION, b BOOLEAN, j JSON)"
        try await withDatabase(table) { database in
            let rows: [[DataValue]] = [
                [.integer(1), .text("it's ☃ \"quoted\"\n:x"), .integer(.max), .double(1.5), .bool(true), .json("{\"a\": [1]}")],
                [.integer(2), .text(""), .integer(.min), .double(-0.1), .bool(false), .json("[]")],
                [.integer(3), .null, .null, .null, .null, .null],
                [.integer(4), .text(String(repeating: "long ", count: 5_000)), .integer(0), .double(1e300), .bool(true), .json("[1]")],
            ]
            let insert = try database.prepare("INSERT INTO v VALUES (:id, :t, :i, :d, :b, :j)")
            try await database.transaction { connection in
                for row in rows { _ = try connection.execute(insert, row) }
            }
            try promise.require("values", try await database.rows("SELECT * FROM v ORDER BY id"), is: rows)
            _ = try await database.run("DELETE FROM v")
            let bulk = RowInsert(table: "v", columns: ["id", "t", "i", "d", "b", "j"], onConflict: .fail)
            let count = try await database.transaction { try $0.insertRows(bulk, rows) }
            try promise.require("rows inserted", count, is: 4)
            try promise.require("values of insertRows", try await database.rows("SELECT * FROM v ORDER BY id"), is: rows)
            let found = try await database.rows("SELECT id FROM v WHERE t = :t OR i = :i ORDER BY id", .text(""), .integer(.max))
            try promise.require("rows found by value", found, is: [[.integer(1)], [.integer(2)]])
        }
    }

    func verifyResults() async throws {
        let promise = Promise("`execute` tells how many rows changed and returns the rows of RETURNING and SELECT")
        try await withDatabase("CREATE TABLE t (x BIGINT PRIMARY KEY, y TEXT)") { database in
            let insert = "INSERT INTO t VALUES (:x, :y) ON CONFLICT DO NOTHING RETURNING y, x AS number"
            let first = try await database.run(insert, .integer(1), .text("a"))
            try promise.require("changes of an insert", first.changes, is: 1)
            try promise.require("columns", first.columns, is: ["y", "number"])
            try promise.require("rows", first.rows, is: [[.text("a"), .integer(1)]])
            let again = try await database.run(insert, .integer(1), .text("b"))
            try promise.require("changes of a repeated insert", again.changes, is: 0)
            try promise.require("rows of a repeated insert", again.rows, is: [])
            _ = try await database.run("INSERT INTO t VALUES (2, 'b'), (3, 'c')")
            let update = try await database.run("UPDATE t SET y = :y WHERE x >= :from", .text("z"), .integer(2))
            try promise.require("changes of an update", update.changes, is: 2)
            let select = try await database.run("SELECT x FROM t WHERE x = :x OR x = :x + 1 ORDER BY x", .integer(2))
            try promise.require("changes of a select", select.changes, is: 0)
            try promise.require("rows of a select", select.rows, is: [[.integer(2)], [.integer(3)]])
            try promise.require("changes of a delete", try await database.run("DELETE FROM t").changes, is: 3)
        }
    }

    func verifyQueries() async throws {
        let promise = Promise("queries run beside the writer, see what is committed, and return at most `limit` rows")
        try await withDatabase("CREATE TABLE t (x BIGINT, \"Odd name\" TEXT)") { database in
            let insert = RowInsert(table: "t", columns: ["x"], onConflict: .fail)
            _ = try await database.transaction { try $0.insertRows(insert, (0..<50).map { [.integer($0)] }) }
            let page = try await database.query(try database.prepare("SELECT x FROM t ORDER BY x"), [], limit: 3)
            try promise.require("columns of a query", page.columns, is: ["x"])
            try promise.require("rows within a limit", page.rows, is: [[.integer(0)], [.integer(1)], [.integer(2)]])
            let none = try await database.query(try database.prepare("SELECT x FROM t WHERE x < 0"), [], limit: 3)
            try promise.require("columns of an empty result", none.columns, is: ["x"])
            try promise.require("columns of a table", try await database.columns(of: "t"), is: ["x", "Odd name"])
            try promise.require("columns of a missing table", try await database.columns(of: "missing"), is: nil)

            let gate = Gate()
            let delete = try database.prepare("DELETE FROM t")
            async let held: Void = database.transaction { connection in
                _ = try connection.execute(delete, [])
                gate.hold()
            }
            defer { gate.release() }
            await gate.isHeld()
            let during = try await database.value("SELECT count(*) FROM t")
            gate.release()
            try await held
            try promise.require("rows seen beside an open transaction", during, is: .integer(50))
            try promise.require("rows after it", try await database.value("SELECT count(*) FROM t"), is: .integer(0))
            try await promise.requireError(from: "a query that writes") {
                _ = try await database.rows("DELETE FROM t RETURNING x")
            }
        }
    }

    func verifyInserts() async throws {
        let promise = Promise("`insertRows` inserts all rows or none, however many, and quotes names")
        try await withDatabase("CREATE TABLE \"Odd table\" (id TEXT PRIMARY KEY, \"Sel ect\" BIGINT NOT NULL)") { database in
            let insert = RowInsert(table: "Odd table", columns: ["id", "Sel ect"], onConflict: .fail)
            let rows = (0..<2_500).map { [DataValue.text("row \($0)"), .integer(Int64($0))] }
            let count = try await database.transaction { try $0.insertRows(insert, rows) }
            try promise.require("rows inserted", count, is: 2_500)
            try promise.require("no rows inserted", try await database.transaction { try $0.insertRows(insert, []) }, is: 0)
            let bad: [[DataValue]] = [[.text("good"), .integer(1)], [.text("bad"), .null]]
            try await promise.requireError(.permanent, from: "a batch with a bad row") {
                _ = try await database.transaction { try $0.insertRows(insert, bad) }
            }
            let sum = try await database.rows("SELECT count(*), max(\"Sel ect\") FROM \"Odd table\"")
            try promise.require("rows", sum, is: [[.integer(2_500), .integer(2_499)]])
            let missing = RowInsert(table: "Odd table", columns: ["id", "missing"], onConflict: .fail)
            try await promise.requireError(.blocked, from: "a missing column") {
                _ = try await database.transaction { try $0.insertRows(missing, [[.text("a"), .integer(1)]]) }
            }
        }
    }

    func verifyConflictingInserts() async throws {
        let promise = Promise("`insertRows` ignores, updates or refuses rows that are there, as asked")
        try await withDatabase("CREATE TABLE t (a BIGINT, b BIGINT, x TEXT, PRIMARY KEY (a, b))") { database in
            func insert(_ onConflict: RowInsert.OnConflict, _ rows: [(Int64, String)]) async throws -> Int {
                let insert = RowInsert(
                    table: "t", columns: ["a", "b", "x"], onConflict: onConflict,
                    conflictColumns: onConflict == .update ? ["a", "b"] : [])
                let values: [[DataValue]] = rows.map { [.integer($0.0), .integer(0), .text($0.1)] }
                return try await database.transaction { try $0.insertRows(insert, values) }
            }
            let inserted = try await insert(.ignore, [(1, "first"), (2, "first"), (1, "second")])
            try promise.require("rows inserted, one of them twice", inserted, is: 2)
            try promise.require("rows ignored", try await insert(.ignore, [(2, "again"), (3, "first")]), is: 1)
            let updated = try await insert(.update, [(3, "updated"), (4, "first"), (4, "last")])
            try promise.require(updated == 2 || updated == 3, "rows inserted or updated: expected 2 or 3, found \(updated)")
            try await promise.requireError(.permanent, from: "a row that is there") {
                _ = try await insert(.fail, [(9, "new"), (1, "again")])
            }
            let rows = try await database.rows("SELECT a, x FROM t ORDER BY a")
            let expected: [[DataValue]] = [
                [.integer(1), .text("first")], [.integer(2), .text("first")], [.integer(3), .text("updated")],
                [.integer(4), .text("last")],
            ]
            try promise.require("rows", rows, is: expected)
        }
    }
}
