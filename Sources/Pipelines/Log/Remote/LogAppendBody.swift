import EmbeddedLog
package import Martlet

/// The body of an append at another host:
///
///     0  magic "MLA1"        4
///     4  producer id         8   of the mark; -1 without one
///    12  number of rows      4   one an event with a mark, else 0
///    16  rows                8 each
///     …  one record batch    Kafka's magic v2: the events in their order, whatever their partitions will be
///
/// The host with the log chooses the partitions, since it knows how many there are.
package struct LogAppendBody: Sendable {
    private static let magic = [UInt8]("MLA1".utf8)
    private static let headBytes = 16

    package let events: [Event]
    package let mark: Martlet.ProducerMark?

    init(events: [Event], mark: Martlet.ProducerMark?) {
        self.events = events
        self.mark = mark
    }

    /// At least one event.
    func encoded() -> Bytes {
        var head = Self.magic
        head.putBigEndian(mark?.producerID ?? -1)
        head.putBigEndian(Int32(mark?.rows.count ?? 0))
        for row in mark?.rows ?? [] { head.putBigEndian(row) }
        return EncodedAppend.batch(events).withBytes { batch in
            Bytes(capacity: head.count + batch.count) { target in
                target.copyBytes(from: head)
                UnsafeMutableRawBufferPointer(rebasing: target[head.count...]).copyMemory(from: batch)
                return target.count
            }
        }
    }

    /// - Throws: permanent, `log.bad_append`, if the bytes are not what ``encoded()`` makes.
    package init(decoding body: Bytes) throws(ModuleError) {
        guard let (head, batch) = Self.split(body) else {
            throw .permanent("log.bad_append", "the body of an append must be what a Martlet host of this version sends")
        }
        mark = head
        do throws(LogError) {
            let chunk = try batch.withUnsafeBytes { bytes throws(LogError) in
                try LogChunk(received: bytes, from: 0, origin: "the request")
            }
            events = try RecordDecoder.records(in: chunk, topic: "", partition: 0).map(\.event)
        } catch {
            throw .permanent("log.bad_append", "the records of an append cannot be read: \(error.description)")
        }
        guard !events.isEmpty, mark == nil || mark?.rows.count == events.count else {
            throw .permanent(
                "log.bad_append", "an append has at least one record, and with a mark one row a record: found \(events.count) records "
                    + "and \(mark?.rows.count ?? 0) rows")
        }
    }

    private static func split(_ body: Bytes) -> (Martlet.ProducerMark?, Bytes)? {
        guard body.count > headBytes else { return nil }
        return body.withUnsafeBytes { bytes -> (Martlet.ProducerMark?, Bytes)? in
            guard bytes.prefix(4).elementsEqual(magic) else { return nil }
            let producer = bytes.bigEndian(at: 4, as: Int64.self)
            let count = Int(bytes.bigEndian(at: 12, as: Int32.self))
            let end = headBytes + count * 8
            guard count >= 0, end <= body.count else { return nil }
            let rows = (0..<count).map { bytes.bigEndian(at: headBytes + $0 * 8, as: Int64.self) }
            let mark = producer < 0 ? nil : Martlet.ProducerMark(producerID: producer, rows: rows)
            return (mark, body.slice(end..<body.count))
        }
    }
}
