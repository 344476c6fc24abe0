import Glibc

/// Who produced a batch, as Kafka's idempotent producers say it: kept as given. -1 is none.
package struct BatchProducer: Sendable, Equatable {
    package let id: Int64
    package let epoch: Int16
    package let baseSequence: Int32

    package init(id: Int64, epoch: Int16, baseSequence: Int32) {
        self.id = id
        self.epoch = epoch
        self.baseSequence = baseSequence
    }

    package static let none = BatchProducer(id: -1, epoch: -1, baseSequence: -1)
}

/// Encoded records: one Kafka record batch whose offsets count from 0 until the log commits it.
/// Immutable; made by `RecordBatchBuilder`.
package final class RecordBatch: @unchecked Sendable {
    // Unchecked: nobody writes to the memory after the builder gave it away.
    let memory: UnsafeMutableRawPointer
    /// Size of the whole batch, in bytes.
    package let byteCount: Int
    package let recordCount: Int
    /// Largest encoded record, in bytes.
    let largestRecordBytes: Int
    let maxTimestamp: Int64

    init(taking memory: UnsafeMutableRawPointer, byteCount: Int, recordCount: Int, largestRecordBytes: Int, maxTimestamp: Int64) {
        self.memory = memory
        self.byteCount = byteCount
        self.recordCount = recordCount
        self.largestRecordBytes = largestRecordBytes
        self.maxTimestamp = maxTimestamp
    }

    deinit { free(memory) }

    /// The encoded batch.
    package func withBytes<Result>(_ body: (UnsafeRawBufferPointer) -> Result) -> Result {
        body(UnsafeRawBufferPointer(start: memory, count: byteCount))
    }

    /// The same records without the first `count`: what is left of a replayed append.
    func dropping(first count: Int) -> RecordBatch {
        guard count < recordCount, let header = BatchHeader(memory, available: byteCount) else {
            preconditionFailure("at least one record stays")
        }
        let chunk = LogChunk(copying: UnsafeRawBufferPointer(start: memory, count: byteCount), from: Int64(count), path: nil)
        var builder = RecordBatchBuilder(capacity: byteCount)
        do throws(LogError) {
            var cursor = chunk.records()
            while try cursor.next() {
                builder.beginRecord(timestamp: cursor.timestamp, key: cursor.key, value: cursor.value, headerCount: cursor.headerCount)
                try cursor.forEachHeader { name, value in builder.addHeader(name: name, value: value) }
                builder.endRecord()
            }
        } catch {
            preconditionFailure("a batch of our own builder does not parse: \(error)")
        }
        let sequence = header.baseSequence < 0 ? -1 : header.baseSequence &+ Int32(count)
        return builder.finish(producer: BatchProducer(id: header.producerID, epoch: header.producerEpoch, baseSequence: sequence))
    }
}
