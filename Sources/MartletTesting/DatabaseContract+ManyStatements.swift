import Martlet

extension DatabaseContract {
    func verifyManyStatements() async throws {
        let promise = Promise("statements handed over together run in order, give a result each, and fail together")
        try await withDatabase("CREATE TABLE t (x BIGINT PRIMARY KEY, y TEXT NOT NULL)") { database in
            let insert = try database.prepare("INSERT INTO t VALUES (:x, :y) ON CONFLICT DO NOTHING")
            let returning = try database.prepare("INSERT INTO t VALUES (:x, :y) RETURNING x, y")
            let count = try database.prepare("SELECT count(*) FROM t")
            let none = try await database.transaction { try $0.execute([]).count }
            try promise.require("results of no statements", none, is: 0)
            let results = try await database.transaction { connection in
                // More than any backend sends at once; each number comes twice.
                let many = (0..<700).map { StatementCall(insert, [.integer(Int64($0 / 2)), .text("row \($0)")]) }
                let others = [StatementCall(count, []), StatementCall(returning, [.integer(1_000), .text("new")]), StatementCall(count, [])]
                return try connection.execute(many + others)
            }
            try promise.require("the number of results", results.count, is: 703)
            try promise.require("changes, in order", results[..<700].map(\.changes), is: (0..<700).map { $0 % 2 == 0 ? 1 : 0 })
            try promise.require("what a later statement sees", results[700].rows, is: [[.integer(350)]])
            try promise.require("columns of RETURNING", results[701].columns, is: ["x", "y"])
            try promise.require("rows of RETURNING", results[701].rows, is: [[.integer(1_000), .text("new")]])
            try promise.require("what the last statement sees", results[702].rows, is: [[.integer(351)]])

            // The one at fault is among others that are not; whatever the body makes of it, nothing stays.
            let strict = try database.prepare("INSERT INTO t VALUES (:x, :y)")
            let wrong: [DataValue] = [.integer(2_003), .null]
            for swallows in [false, true] {
                try await promise.requireError(.permanent, from: "a statement that fails among others") {
                    try await database.transaction { connection in
                        let calls = (2_000..<2_006).map { number in
                            StatementCall(strict, number == 2_003 ? wrong : [.integer(Int64(number)), .text("x")])
                        }
                        if swallows { _ = try? connection.execute(calls) } else { _ = try connection.execute(calls) }
                    }
                }
            }
            try promise.require("rows after the failure", try await database.value("SELECT count(*) FROM t"), is: .integer(351))
            // The connection is as good as before.
            _ = try await database.run("INSERT INTO t VALUES (3000, 'after')")
            let missing = try database.prepare("SELECT x FROM missing_table")
            try await promise.requireError(.blocked, from: "a statement that cannot run among others") {
                try await database.transaction { _ = try $0.execute([StatementCall(count, []), StatementCall(missing, [])]) }
            }
            try promise.require("rows at the end", try await database.value("SELECT count(*) FROM t"), is: .integer(352))
        }
    }
}
