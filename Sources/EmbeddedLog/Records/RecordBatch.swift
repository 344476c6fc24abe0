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
/// Immutable; made by `RecordBatchBuilder`, or received and checked.
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

    var attributes: Int16 { UnsafeRawPointer(memory).bigEndian(at: 21, as: Int16.self) }
    /// Batches of our own and those received have one that is known.
    var compression: Compression { Compression(code: attributes & BatchHeader.compressionMask) ?? .none }
    /// Whether the records are a broker's transaction markers.
    var isControl: Bool { attributes & BatchHeader.controlFlag != 0 }

    var producer: BatchProducer {
        let memory = UnsafeRawPointer(memory)
        return BatchProducer(
            id: memory.bigEndian(at: 43, as: Int64.self), epoch: memory.bigEndian(at: 51, as: Int16.self),
            baseSequence: memory.bigEndian(at: 53, as: Int32.self))
    }

    /// Whether the log checks the batch's sequence.
    var isSequenced: Bool { producer.id >= 0 && producer.baseSequence >= 0 && !isControl }

    /// The same records without the first `count`: what is left of a replayed append.
    func dropping(first count: Int) -> RecordBatch {
        precondition(count < recordCount, "at least one record stays")
        return keeping(recordCount - count) { $0 >= count }
    }
}
