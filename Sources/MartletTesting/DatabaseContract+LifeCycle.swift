import Martlet

extension DatabaseContract {
    func verifyStatements() async throws {
        let promise = Promise("`prepare` finds parameters and refuses what must not run, without connecting")
        let database = try await make(DatabaseRequest(store: newStore(), isReachable: false))
        let statement = try database.prepare("SELECT ':no' AS x WHERE :b = :a AND :b <> 2 -- :c\n;")
        try promise.require("parameter names", statement.parameterNames, is: ["b", "a"])
        let refused = [
            "", "-- nothing", "SELECT 1; SELECT 2", "BEGIN", "commit", "ROLLBACK", "SAVEPOINT a", "RELEASE a", "END", "ABORT",
            "START TRANSACTION", "/* x */ BEGIN", "SELECT $1", "SELECT 'open",
        ]
        for sql in refused {
            do {
                _ = try database.prepare(sql)
            } catch {
                continue
            }
            throw ContractViolation(promise.text, "`\(sql)` was not refused")
        }
    }

    func verifyLifeCycle() async throws {
        let promise = Promise("a database can be closed at any time, opened again, and says so when it is not open")
        let store = newStore()
        let table = (id: "t", sql: "CREATE TABLE t (x BIGINT)")
        let unreachable = try await make(DatabaseRequest(store: store, isReachable: false))
        await unreachable.close()
        try await promise.requireError(.transient, from: "open of an unreachable database") { try await unreachable.open() }
        try await promise.requireError(.transient, from: "a transaction after a failed open") {
            _ = try await unreachable.run("SELECT 1")
        }
        await unreachable.close()
        await unreachable.close()

        let database = try await make(DatabaseRequest(store: store, schema: [table]))
        try await promise.requireError(.transient, from: "a query before open") { _ = try await database.rows("SELECT 1") }
        try await database.open()
        _ = try await database.run("INSERT INTO t VALUES (7)")
        await database.close()
        await database.close()
        try await promise.requireError(.transient, from: "a transaction after close") {
            _ = try await database.run("INSERT INTO t VALUES (8)")
        }
        try await database.open()
        try promise.require("rows after close and open", try await database.rows("SELECT x FROM t"), is: [[.integer(7)]])
        await database.close()
    }

    func verifyQueueLimit() async throws {
        let promise = Promise("at most `write_queue` transactions wait; more fail at once, and those waiting are done")
        try await withDatabase("CREATE TABLE t (x BIGINT)", writeQueue: 4) { database in
            let gate = Gate()
            async let blocked: Void = database.transaction { _ in gate.hold() }
            // Also when a promise is broken: nobody may wait for ever.
            defer { gate.release() }
            await gate.isHeld()
            let insert = try database.prepare("INSERT INTO t VALUES (1)")
            let outcomes = Outcomes()
            for _ in 0..<6 {
                database.transaction({ _ = try $0.execute(insert, []) }, completion: { outcomes.add($0) })
            }
            // The two past the limit are answered before the writer goes on.
            let refused = await outcomes.wait(for: 2)
            for outcome in refused {
                guard case .failure(let error) = outcome else {
                    throw ContractViolation(promise.text, "a transaction past the limit succeeded")
                }
                try promise.require("kind past the limit", error.kind, is: .transient)
                try promise.require("code past the limit", error.code, is: "database.overloaded")
            }
            gate.release()
            try await blocked
            _ = await outcomes.wait(for: 6)
            try promise.require("rows", try await database.value("SELECT count(*) FROM t"), is: .integer(4))
        }
    }

    func verifySchema() async throws {
        let promise = Promise("schema steps run once, in order, and an old one that changed is an error that names it")
        let store = newStore()
        let first = (id: "001", sql: "CREATE TABLE t (x BIGINT); INSERT INTO t VALUES (1);")
        let second = (id: "002", sql: "INSERT INTO t SELECT x + 1 FROM t")
        try await withOpen(try await make(DatabaseRequest(store: store, schema: [first]))) { _ in }
        for _ in 0..<2 {
            try await withOpen(try await make(DatabaseRequest(store: store, schema: [first, second]))) { database in
                let rows = try await database.rows("SELECT x FROM t ORDER BY x")
                try promise.require("rows", rows, is: [[.integer(1)], [.integer(2)]])
            }
        }
        let changed = try await make(DatabaseRequest(store: store, schema: [(id: "001", sql: first.sql + " "), second]))
        let error = try await promise.requireError(.blocked, from: "a changed step") { try await changed.open() }
        try promise.require(error.message.contains("001"), "the message does not name the step: \(error)")
        await changed.close()
        let wrong = (id: "003", sql: "INSERT INTO t VALUES (3); INSERT INTO missing VALUES (1)")
        let failing = try await make(DatabaseRequest(store: store, schema: [first, second, wrong]))
        let failure = try await promise.requireError(.blocked, from: "a failing step") { try await failing.open() }
        try promise.require(failure.message.contains("003"), "the message does not name the step: \(failure)")
        await failing.close()
        try await withOpen(try await make(DatabaseRequest(store: store, schema: [first, second]))) { database in
            let count = try await database.value("SELECT count(*) FROM t")
            try promise.require("rows after a step that failed in its middle", count, is: .integer(2))
        }
    }

    func verifySchemaRace() async throws {
        let promise = Promise("two hosts that start together run a schema step once")
        let store = newStore()
        let schema = [(id: "1", sql: "CREATE TABLE t (x BIGINT)"), (id: "2", sql: "INSERT INTO t VALUES (1)")]
        let databases = [
            try await make(DatabaseRequest(store: store, schema: schema)),
            try await make(DatabaseRequest(store: store, schema: schema)),
        ]
        try await withThrowingTaskGroup(of: Void.self) { group in
            for database in databases { group.addTask { try await database.open() } }
            try await group.waitForAll()
        }
        try promise.require("rows", try await databases[0].value("SELECT count(*) FROM t"), is: .integer(1))
        for database in databases { await database.close() }
    }
}
