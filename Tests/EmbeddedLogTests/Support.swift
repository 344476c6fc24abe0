import Foundation
import Synchronization

@testable import EmbeddedLog

/// A clock that stands still until told.
final class ManualClock: LogClock {
    private let time = Atomic<Int64>(1_700_000_000_000)

    func now() -> Int64 { time.load(ordering: .relaxed) }
    func advance(milliseconds: Int64) { time.wrappingAdd(milliseconds, ordering: .relaxed) }
}

func smallConfiguration(_ directory: String) -> LogConfiguration {
    LogConfiguration(directory: directory, minFreeBytes: 0, journalBytes: 1 << 20, segmentBytes: 8 << 10, maxRecordBytes: 100 << 10)
}

func batch(_ values: [String], key: String? = nil, timestamp: Int64 = 1) -> RecordBatch {
    var builder = RecordBatchBuilder()
    for value in values {
        builder.append(timestamp: timestamp, key: key.map { Array($0.utf8) }, value: Array(value.utf8))
    }
    return builder.finish()
}

extension EmbeddedLog {
    /// Appends and waits for the receipts.
    func appendAndWait(_ appends: [PartitionAppend]) throws -> [AppendReceipt] {
        let outcome = Monitor<Result<[AppendReceipt], LogError>?>(nil)
        append(appends) { result in
            outcome.withLock { $0 = result }
            outcome.signalAll()
        }
        while !runsThreads, outcome.withLock({ $0 == nil }) { runCommitCycle() }
        return try outcome.wait { $0 }.get()
    }

    @discardableResult
    func append(_ topic: String, _ partition: Int32 = 0, _ values: [String], key: String? = nil, timestamp: Int64 = 1) throws -> Int64 {
        let records = batch(values, key: key, timestamp: timestamp)
        return try appendAndWait([PartitionAppend(topic: topic, partition: partition, records: records)])[0].baseOffset
    }

    func commitAndWait(_ group: String, _ topic: String, _ partition: Int32, _ offset: Int64) throws {
        let outcome = Monitor<Result<Void, LogError>?>(nil)
        commitOffsets(group: group, [(topic, partition, offset)]) { result in
            outcome.withLock { $0 = result }
            outcome.signalAll()
        }
        while !runsThreads, outcome.withLock({ $0 == nil }) { runCommitCycle() }
        try outcome.wait { $0 }.get()
    }

    /// All values of a partition from an offset on, checking that offsets ascend.
    func values(_ topic: String, _ partition: Int32 = 0, from start: Int64? = nil, maxBytes: Int = 4096) throws -> [String] {
        var offset = try start ?? startOffset(topic, partition)
        var result: [String] = []
        while true {
            let chunk = try read(topic, partition: partition, from: offset, maxBytes: maxBytes)
            if chunk.isEmpty { return result }
            var cursor = chunk.records()
            while try cursor.next() {
                precondition(cursor.offset >= offset, "offsets ascend")
                offset = cursor.offset + 1
                result.append(cursor.value.map { String(decoding: $0, as: UTF8.self) } ?? "<null>")
            }
            offset = max(offset, chunk.nextOffset)
        }
    }
}

/// Waits for a condition, at most a minute.
func eventually(_ condition: () throws -> Bool) rethrows -> Bool {
    let deadline = Date().addingTimeInterval(60)
    while Date() < deadline {
        if try condition() { return true }
        usleep(1000)
    }
    return try condition()
}
