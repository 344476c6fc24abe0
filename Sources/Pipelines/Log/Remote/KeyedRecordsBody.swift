import EmbeddedLog
package import Martlet

/// The body of an answer with records of some keys. Numbers are big-endian:
///
///     0  number of records   4
///     4  offsets           8 each, ascending
///     …  one record batch    Kafka's magic v2: the records in that order
package enum KeyedRecordsBody {
    /// At least one record.
    package static func encode(_ records: [Record]) -> Bytes {
        var head: [UInt8] = []
        head.putBigEndian(Int32(records.count))
        for record in records { head.putBigEndian(record.offset) }
        return EncodedAppend.batch(records.map(\.event)).withBytes { batch in
            Bytes(capacity: head.count + batch.count) { target in
                target.copyBytes(from: head)
                UnsafeMutableRawBufferPointer(rebasing: target[head.count...]).copyMemory(from: batch)
                return target.count
            }
        }
    }

    /// Nil if the bytes are not what ``encode(_:)`` makes.
    static func decode(_ body: Bytes, topic: TopicName, partition: PartitionID, origin: String) -> [Record]? {
        guard body.count > 4 else { return nil }
        return body.withUnsafeBytes { bytes -> [Record]? in
            let count = Int(bytes.bigEndian(at: 0, as: Int32.self))
            guard count > 0, 4 + count * 8 < bytes.count else { return nil }
            let batch = UnsafeRawBufferPointer(rebasing: bytes[(4 + count * 8)...])
            guard let chunk = try? LogChunk(received: batch, from: 0, origin: origin),
                let records = try? RecordDecoder.records(in: chunk, topic: topic, partition: partition), records.count == count
            else { return nil }
            return records.enumerated().map { index, record in
                Record(topic: topic, partition: partition, offset: bytes.bigEndian(at: 4 + index * 8, as: Offset.self), event: record.event)
            }
        }
    }
}
