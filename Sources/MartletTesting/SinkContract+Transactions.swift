import Martlet

extension SinkContract {
    /// What `verifyWriting` and `verifyBadRecord` have left.
    private var earlier: [Int] { badPayload == nil ? Array(0..<500) : Array(0..<502) + [503, 504] }

    func place(_ partition: PartitionID, incarnation: String = "one") -> GroupPartition {
        GroupPartition(group: "contract", topic: "contract", incarnation: incarnation, partition: partition)
    }

    /// A sink as transactional one, or nothing.
    private func withTransactionalSink(_ body: (any TransactionalSink) async throws -> Void) async throws {
        try await withSink { sink in
            if let sink = sink as? any TransactionalSink { try await body(sink) }
        }
    }

    func verifyTransactions() async throws {
        let promise = Promise("a transactional sink keeps the offset with the records, so that a replay leaves each once")
        try await withTransactionalSink { sink in
            try promise.require("the offset of a new partition", try await sink.committedOffset(of: place(1)), is: nil)
            try await sink.write(records(1_000..<1_010, partition: 1), moving: place(1), from: nil, to: 1_010)
        }
        // Another sink over the same store goes on, as after a crash.
        try await withTransactionalSink { sink in
            try promise.require("the stored offset", try await sink.committedOffset(of: place(1)), is: 1_010)
            try await sink.write(records(1_010..<1_020, partition: 1), moving: place(1), from: 1_010, to: 1_020)
            try await sink.write([], moving: place(1), from: 1_020, to: 1_025)
            try promise.require("the offset after a batch of nothing", try await sink.committedOffset(of: place(1)), is: 1_025)
            try await requireWritten(earlier + Array(1_000..<1_020), promise, "after two batches")
            if let badPayload {
                let batch = records(1_025..<1_027, partition: 1) + [record(1_027, badPayload, partition: 1)]
                try await promise.requireError(.permanent, from: "a batch with a bad record") {
                    try await sink.write(batch, moving: place(1), from: 1_025, to: 1_028)
                }
                try promise.require("the offset after a failed batch", try await sink.committedOffset(of: place(1)), is: 1_025)
                try await requireWritten(earlier + Array(1_000..<1_020), promise, "after a failed batch")
            }
        }
    }

    func verifyFencing() async throws {
        let promise = Promise("a transactional sink stops a second owner, and a group whose log was wiped")
        try await withTransactionalSink { sink in
            for expected in [nil, 1_000, 1_030] as [Offset?] {
                try await promise.requireError(
                    .blocked, code: GroupOffsetTable.fencedCode, from: "a write from \(expected.map { "\($0)" } ?? "no offset")"
                ) {
                    try await sink.write(records(1_030..<1_031, partition: 1), moving: place(1), from: expected, to: 1_031)
                }
            }
            let wiped = place(1, incarnation: "two")
            try await promise.requireError(
                .blocked, code: GroupOffsetTable.unknownIncarnationCode, from: "the offset of another incarnation"
            ) { _ = try await sink.committedOffset(of: wiped) }
            try await promise.requireError(
                .blocked, code: GroupOffsetTable.unknownIncarnationCode, from: "a write of another incarnation"
            ) { try await sink.write(records(1_030..<1_031, partition: 1), moving: wiped, from: 1_025, to: 1_031) }
            try await requireWritten(earlier + Array(1_000..<1_020), promise, "after fenced writes")
            try await sink.resetOffset(of: wiped, to: 3)
            try promise.require("the offset after a reset", try await sink.committedOffset(of: wiped), is: 3)
            try await sink.resetOffset(of: wiped, to: nil)
            try promise.require("the offset after it was forgotten", try await sink.committedOffset(of: wiped), is: nil)
        }
    }

    func verifyPartitionsBesideEachOther() async throws {
        let promise = Promise("partitions of a group are written at the same time without disturbing each other")
        let isTransactional = try await withSink { $0 is any TransactionalSink }
        try await withSink { sink in
            try await withThrowingTaskGroup(of: Void.self) { group in
                for partition in 0..<4 {
                    group.addTask {
                        try await write(sink, partition: PartitionID(partition + 10), from: 2_000 + partition * 100)
                    }
                }
                try await group.waitForAll()
            }
            let before = earlier + (isTransactional ? Array(1_000..<1_020) : [])
            try await requireWritten(before + Array(2_000..<2_400), promise, "after four partitions")
        }
    }

    private func write(_ sink: any Sink, partition: PartitionID, from first: Int) async throws {
        var expected: Offset?
        for start in stride(from: first, to: first + 100, by: 20) {
            let batch = records(start..<start + 20, partition: partition)
            if let sink = sink as? any TransactionalSink {
                try await sink.write(batch, moving: place(partition), from: expected, to: Offset(start + 20))
                expected = Offset(start + 20)
            } else {
                _ = try await sink.write(batch)
            }
        }
    }
}
