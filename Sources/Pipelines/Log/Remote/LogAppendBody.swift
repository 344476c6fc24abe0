package import EmbeddedLog
package import Martlet

/// The body of an append at another host. Numbers are big-endian:
///
///     0  magic "MLA2"           4
///     4  partitions             4   of the topic, as the sender knows it
///     8  producer id            8   of the mark; -1 without one
///    16  parts                  4   at most one a partition, in the order of their events
///     …  each part:
///        0  partition           4
///        4  number of rows      4   one a record with a mark, else 0
///        8  bytes of the batch  4
///       12  rows                8 each
///        …  one record batch        Kafka's magic v2, compressed or not, with its producer's id, epoch and sequence
///
/// The sender chooses the partitions, since a producer's sequence counts for each of them. The log's host refuses the body if
/// the topic has another number of them.
package struct LogAppendBody: Sendable {
    package struct Part: Sendable {
        package let partition: PartitionID
        package let rows: [Int64]
        package let batch: RecordBatch
    }

    private static let magic = [UInt8]("MLA2".utf8)
    private static let headBytes = 20
    private static let partHeadBytes = 12

    package let partitions: Int
    /// -1 without a mark.
    package let markProducerID: Int64
    package let parts: [Part]

    package init(partitions: Int, markProducerID: Int64 = -1, parts: [Part]) {
        self.partitions = partitions
        self.markProducerID = markProducerID
        self.parts = parts
    }

    package func encoded() -> Bytes {
        var bytes = Self.magic
        bytes.putBigEndian(Int32(partitions))
        bytes.putBigEndian(markProducerID)
        bytes.putBigEndian(Int32(parts.count))
        for part in parts {
            bytes.putBigEndian(part.partition)
            bytes.putBigEndian(Int32(part.rows.count))
            bytes.putBigEndian(Int32(part.batch.byteCount))
            for row in part.rows { bytes.putBigEndian(row) }
            part.batch.withBytes { bytes.append(contentsOf: $0) }
        }
        return Bytes(bytes)
    }

    /// - Throws: permanent, `log.bad_append`, if the bytes are not what ``encoded()`` makes.
    package init(decoding body: Bytes) throws(ModuleError) {
        var failure: ModuleError?
        let decoded = body.withUnsafeBytes { bytes -> LogAppendBody? in
            do throws(ModuleError) {
                return try Self.decode(bytes)
            } catch {
                failure = error
                return nil
            }
        }
        if let failure { throw failure }
        guard let decoded else {
            throw .permanent("log.bad_append", "the body of an append must be what a Martlet host of this version sends")
        }
        self = decoded
    }

    private static func decode(_ bytes: UnsafeRawBufferPointer) throws(ModuleError) -> LogAppendBody? {
        guard bytes.count >= headBytes, bytes.prefix(4).elementsEqual(magic) else { return nil }
        let producer = bytes.bigEndian(at: 8, as: Int64.self)
        let count = bytes.bigEndian(at: 16, as: Int32.self)
        var parts: [Part] = []
        var place = headBytes
        while parts.count < count {
            guard let part = try part(bytes, &place) else { return nil }
            guard part.rows.isEmpty == (producer < 0), part.rows.isEmpty || part.rows.count == part.batch.recordCount else {
                throw .permanent(
                    "log.bad_append", "an append with a mark has one row a record, one without has none: found "
                        + "\(part.batch.recordCount) records and \(part.rows.count) rows")
            }
            parts.append(part)
        }
        guard !parts.isEmpty, place == bytes.count else { return nil }
        return LogAppendBody(partitions: Int(bytes.bigEndian(at: 4, as: Int32.self)), markProducerID: producer, parts: parts)
    }

    /// Reads the part at `place` and moves past it; `nil` if it does not fit.
    private static func part(_ bytes: UnsafeRawBufferPointer, _ place: inout Int) throws(ModuleError) -> Part? {
        guard place + partHeadBytes <= bytes.count else { return nil }
        let partition = bytes.bigEndian(at: place, as: PartitionID.self)
        let rowCount = Int(bytes.bigEndian(at: place + 4, as: Int32.self))
        let batchBytes = Int(bytes.bigEndian(at: place + 8, as: Int32.self))
        place += partHeadBytes
        guard partition >= 0, rowCount >= 0, batchBytes > 0, rowCount * 8 + batchBytes <= bytes.count - place else { return nil }
        let rows = (0..<rowCount).map { bytes.bigEndian(at: place + $0 * 8, as: Int64.self) }
        place += rowCount * 8
        defer { place += batchBytes }
        do throws(LogError) {
            let records = UnsafeRawBufferPointer(rebasing: bytes[place..<(place + batchBytes)])
            return Part(partition: partition, rows: rows, batch: try RecordBatch(received: records, origin: "the request"))
        } catch {
            throw .permanent("log.bad_append", "the records of an append cannot be read: \(error.description)")
        }
    }
}

extension LogAppendBody {
    /// The records that are to be appended, their offsets counting from 0 in each part.
    ///
    /// - Throws: permanent, `log.bad_append`, if they cannot be read.
    package func records(of topic: TopicName) throws(ModuleError) -> [Record] {
        var records: [Record] = []
        for part in parts {
            do throws(LogError) {
                let chunk = try part.batch.withBytes { bytes in
                    Result { () throws(LogError) in try LogChunk(received: bytes, from: 0, origin: "the request") }
                }.get()
                records += try RecordDecoder.records(in: chunk, topic: topic, partition: part.partition)
            } catch {
                throw .permanent("log.bad_append", "the records of an append cannot be read: \(error.description)")
            }
        }
        return records
    }
}
