import Martlet

extension DatabaseContract {
    private static func partition(_ number: PartitionID = 0, incarnation: String = "one") -> GroupPartition {
        GroupPartition(group: "store", topic: "likes", incarnation: incarnation, partition: number)
    }

    func verifyOffsets() async throws {
        let promise = Promise("a group's offset moves with its rows, in one transaction or not at all")
        try await withDatabase("CREATE TABLE t (x BIGINT PRIMARY KEY)") { database in
            let offsets = try GroupOffsetTable(database)
            let partition = Self.partition()
            try await database.transaction { try offsets.create(in: $0) }
            try await database.transaction { try offsets.create(in: $0) }
            let insert = RowInsert(table: "t", columns: ["x"], onConflict: .fail)
            func write(_ range: Range<Int64>, from expected: Offset?) async throws {
                try await database.transaction { connection in
                    try offsets.move(partition, from: expected, to: range.upperBound, in: connection)
                    _ = try connection.insertRows(insert, range.map { [.integer($0)] })
                }
            }
            func stored(_ partition: GroupPartition) async throws -> Offset? {
                try await database.transaction { try offsets.offset(of: partition, in: $0) }
            }
            try promise.require("the offset of a new group", try await stored(partition), is: nil)
            try await write(0..<10, from: nil)
            try await write(10..<20, from: 10)
            try promise.require("the offset after two commits", try await stored(partition), is: 20)
            try await promise.requireError(.permanent, from: "rows that break a rule") { try await write(15..<25, from: 20) }
            try promise.require("the offset after a rollback", try await stored(partition), is: 20)
            try promise.require("rows", try await database.value("SELECT count(*) FROM t"), is: .integer(20))
            // Moved and inserted together; nothing is inserted if there was nothing to move, though the rows would break a rule.
            func writeTogether(_ range: Range<Int64>, from expected: Offset?, isLast: Bool) async throws -> Int {
                try await database.transaction { connection in
                    let move = offsets.moving(partition, from: expected, to: range.upperBound)
                    let count = try connection.insertRows(
                        try database.readied(RowBatch(insert, range.map { [.integer($0)] })), ifChanged: move, isLast: isLast)
                    guard let count else { throw ModuleError.blocked("contract.not_moved", "the offset was elsewhere") }
                    return count
                }
            }
            for (isLast, first) in [(false, 20), (true, 30)] as [(Bool, Int64)] {
                let next = first + 10
                let count = try await writeTogether(first..<next, from: first, isLast: isLast)
                try promise.require("rows inserted with a move", count, is: 10)
                let none = try await writeTogether(next..<next, from: next, isLast: isLast)
                try promise.require("rows inserted with a move of no rows", none, is: 0)
                for range in [10..<20, 40..<50, 50..<50] as [Range<Int64>] {
                    try await promise.requireError(.blocked, code: "contract.not_moved", from: "a move from elsewhere") {
                        _ = try await writeTogether(range, from: first, isLast: isLast)
                    }
                }
                try await promise.requireError(.permanent, from: "moved rows that break a rule") {
                    _ = try await writeTogether((first + 5)..<(next + 5), from: next, isLast: isLast)
                }
                try promise.require("the offset after moves", try await stored(partition), is: next)
                try promise.require("rows after moves", try await database.value("SELECT count(*) FROM t"), is: .integer(next))
            }
            try promise.require("the offset of another partition", try await stored(Self.partition(1)), is: nil)
            try await database.transaction { try offsets.reset(partition, to: 5, in: $0) }
            try promise.require("the offset after a reset", try await stored(partition), is: 5)
            try await database.transaction { try offsets.reset(partition, to: nil, in: $0) }
            try promise.require("the offset after it was forgotten", try await stored(partition), is: nil)
        }
    }

    func verifyFencing() async throws {
        let promise = Promise("a writer whose offset another one has moved, or whose log was wiped, is stopped")
        try await withDatabase("CREATE TABLE t (x BIGINT)") { database in
            let offsets = try GroupOffsetTable(database)
            let insert = RowInsert(table: "t", columns: ["x"], onConflict: .fail)
            @Sendable func write(_ partition: GroupPartition, from expected: Offset?, to next: Offset) async throws {
                try await database.transaction { connection in
                    _ = try connection.insertRows(insert, [[.integer(next)]])
                    try offsets.move(partition, from: expected, to: next, in: connection)
                }
            }
            try await database.transaction { try offsets.create(in: $0) }
            try await write(Self.partition(), from: nil, to: 5)
            for expected in [nil, 4, 6] as [Offset?] {
                try await promise.requireError(
                    .blocked, code: GroupOffsetTable.fencedCode, from: "a commit from \(expected.map { "\($0)" } ?? "no row")"
                ) { try await write(Self.partition(), from: expected, to: 9) }
            }
            let wiped = Self.partition(incarnation: "two")
            for expected in [nil, 5] as [Offset?] {
                try await promise.requireError(
                    .blocked, code: GroupOffsetTable.unknownIncarnationCode, from: "a commit of another incarnation"
                ) { try await write(wiped, from: expected, to: 9) }
            }
            let error = try await promise.requireError(
                .blocked, code: GroupOffsetTable.unknownIncarnationCode, from: "the offset of another incarnation"
            ) { _ = try await database.transaction { try offsets.offset(of: wiped, in: $0) } }
            try promise.require(error.message.contains("reset"), "the message does not say what to do: \(error)")
            try promise.require("rows", try await database.value("SELECT count(*) FROM t"), is: .integer(1))
            try await database.transaction { try offsets.reset(wiped, to: 0, in: $0) }
            try await write(wiped, from: 0, to: 1)

            let winners = try await withThrowingTaskGroup(of: Bool.self) { group in
                for _ in 0..<8 {
                    group.addTask {
                        do {
                            try await write(wiped, from: 1, to: 2)
                            return true
                        } catch let error as ModuleError where error.code == GroupOffsetTable.fencedCode {
                            return false
                        }
                    }
                }
                return try await group.reduce(0) { $0 + ($1 ? 1 : 0) }
            }
            try promise.require("writers that won one offset", winners, is: 1)
        }
    }
}
