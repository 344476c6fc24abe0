import Martlet
import Synchronization

extension DatabaseContract {
    func verifyCommitAndRollback() async throws {
        let promise = Promise("a transaction is committed whole, or rolled back whole when its body throws or a statement fails")
        try await withDatabase("CREATE TABLE t (x BIGINT PRIMARY KEY)") { database in
            let insert = try database.prepare("INSERT INTO t VALUES (:x)")
            try await database.transaction { connection in
                for x in 1...3 { _ = try connection.execute(insert, [.integer(Int64(x))]) }
            }
            try promise.require("rows after a commit", try await database.value("SELECT count(*) FROM t"), is: .integer(3))

            let thrown = try await promise.requireError(.permanent, code: "test.stop", from: "a body that throws") {
                try await database.transaction { connection in
                    _ = try connection.execute(insert, [.integer(10)])
                    throw ModuleError.permanent("test.stop", "stop")
                }
            }
            try promise.require("the body's own error", thrown.message, is: "stop")
            try await promise.requireError(.blocked, from: "a body that throws an error of its own") {
                try await database.transaction { _ in throw OwnError() }
            }
            try await promise.requireError(.permanent, from: "a body that swallows a failed statement") {
                try await database.transaction { connection in
                    _ = try connection.execute(insert, [.integer(11)])
                    _ = try? connection.execute(insert, [.integer(1)])
                }
            }
            let rows = try await database.rows("SELECT x FROM t ORDER BY x")
            try promise.require("rows after rollbacks", rows, is: (1...3).map { [.integer($0)] })
        }
    }

    func verifyErrorKinds() async throws {
        let promise = Promise("errors are permanent for a record's own data and blocked for the operator's to mend")
        try await withDatabase("CREATE TABLE t (x BIGINT PRIMARY KEY, y TEXT NOT NULL, z BIGINT CHECK (z > 0))") { database in
            _ = try await database.run("INSERT INTO t VALUES (1, 'a', 1)")
            let cases: [(String, ModuleError.Kind)] = [
                ("INSERT INTO t VALUES (1, 'again', 1)", .permanent),
                ("INSERT INTO t VALUES (2, NULL, 1)", .permanent),
                ("INSERT INTO t VALUES (2, 'a', 0)", .permanent),
                ("INSERT INTO missing VALUES (1)", .blocked),
                ("INSERT INTO t (x, y, missing) VALUES (2, 'a', 1)", .blocked),
                ("UPDATE t SET missing = 1", .blocked),
            ]
            for (sql, kind) in cases {
                let error = try await promise.requireError(kind, from: "`\(sql)`") { _ = try await database.run(sql) }
                try promise.require(error.message.contains("`test`"), "the message does not name the database: \(error)")
                try promise.require(!error.code.isEmpty, "no code: \(error)")
            }
            try await promise.requireError(.blocked, from: "a query of a missing table") {
                _ = try await database.rows("SELECT * FROM missing")
            }
            try promise.require("rows afterwards", try await database.value("SELECT count(*) FROM t"), is: .integer(1))
        }
    }

    func verifyOrder() async throws {
        let promise = Promise("transactions run, and are answered, in the order in which one thread queues them")
        try await withDatabase("CREATE TABLE t (x BIGINT)") { database in
            let insert = try database.prepare("INSERT INTO t VALUES (:x)")
            let order = Mutex<[Int]>([])
            let outcomes = Outcomes()
            for number in 0..<100 {
                database.transaction(
                    { _ = try $0.execute(insert, [.integer(Int64(number))]) },
                    completion: { outcome in
                        order.withLock { $0.append(number) }
                        outcomes.add(outcome)
                    })
            }
            for outcome in await outcomes.wait(for: 100) { try outcome.get() }
            try promise.require("order of completions", order.withLock { $0 }, is: Array(0..<100))
        }
    }

    func verifyIsolation() async throws {
        let promise = Promise("a transaction runs alone: what it reads stays so until it is committed")
        try await withDatabase("CREATE TABLE t (x BIGINT)", "INSERT INTO t VALUES (0)") { database in
            let read = try database.prepare("SELECT x FROM t")
            let write = try database.prepare("UPDATE t SET x = :x")
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<8 {
                    group.addTask {
                        for _ in 0..<10 {
                            try await database.transaction { connection in
                                guard case .integer(let x)? = try connection.execute(read, []).rows.first?.first else {
                                    throw ContractViolation(promise.text, "the row cannot be read")
                                }
                                _ = try connection.execute(write, [.integer(x + 1)])
                            }
                        }
                    }
                }
                try await group.waitForAll()
            }
            try promise.require("the count of 80 increments", try await database.value("SELECT x FROM t"), is: .integer(80))
        }
    }
}

private struct OwnError: Error {}
