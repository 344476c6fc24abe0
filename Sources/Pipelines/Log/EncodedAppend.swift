import EmbeddedLog
import Martlet

/// Events encoded for the engine: one record batch for each partition they go to.
struct EncodedAppend: Sendable {
    let appends: [PartitionAppend]
    let layout: Layout

    /// Where the events are among the appends. What waits for the receipts keeps this, and not the records.
    struct Layout: Sendable {
        /// The partition of each append.
        fileprivate let partitions: [Int32]
        /// For each event, which append it is in and its index there; empty for a single event.
        fileprivate let slots: [(append: Int32, index: Int32)]
    }

    init(_ events: [Event], topic: String, partitions: Int, mark: Martlet.ProducerMark?, spreader: KeylessSpreader) {
        if events.count == 1 {
            self.init(events, at: Self.partition(of: events[0], partitions, spreader), topic: topic, mark: mark)
        } else {
            self.init(sorting: events, topic, partitions, mark, keyless: spreader.partition(count: partitions))
        }
    }

    private init(sorting events: [Event], _ topic: String, _ partitions: Int, _ mark: Martlet.ProducerMark?, keyless: Int32) {
        var order: [Int32] = []
        var members: [[Int]] = []
        var slots: [(append: Int32, index: Int32)] = []
        slots.reserveCapacity(events.count)
        var appendOfPartition = [Int](repeating: -1, count: partitions)
        for (index, event) in events.enumerated() {
            let partition = event.key.map { KafkaPartitioner.partition(of: $0, count: partitions) } ?? keyless
            var append = appendOfPartition[Int(partition)]
            if append < 0 {
                append = order.count
                appendOfPartition[Int(partition)] = append
                order.append(partition)
                members.append([])
            }
            slots.append((Int32(append), Int32(members[append].count)))
            members[append].append(index)
        }
        layout = Layout(partitions: order, slots: slots)
        appends = zip(order, members).map { partition, members in
            PartitionAppend(
                topic: topic, partition: partition, records: Self.encode(events, members),
                producer: mark.map { mark in
                    LogMark(producerID: mark.producerID, rows: members.map { mark.rows[$0] })
                })
        }
    }

    /// All events in one batch, in their order.
    static func batch(_ events: [Event]) -> RecordBatch {
        encode(events, events.indices)
    }

    /// One event needs no sorting by partitions.
    private init(_ events: [Event], at partition: Int32, topic: String, mark: Martlet.ProducerMark?) {
        layout = Layout(partitions: [partition], slots: [])
        appends = [
            PartitionAppend(
                topic: topic, partition: partition, records: Self.encode(events, CollectionOfOne(0)),
                producer: mark.map { LogMark(producerID: $0.producerID, rows: $0.rows) })
        ]
    }

    private static func partition(of event: Event, _ partitions: Int, _ spreader: KeylessSpreader) -> Int32 {
        event.key.map { KafkaPartitioner.partition(of: $0, count: partitions) } ?? spreader.partition(count: partitions)
    }

    private static func encode(_ events: [Event], _ members: some Collection<Int>) -> RecordBatch {
        let bytes = members.reduce(128) { $0 + 96 + events[$1].payload.count + (events[$1].key?.count ?? 0) }
        var builder = RecordBatchBuilder(capacity: bytes)
        for index in members { encode(events[index], into: &builder) }
        return builder.finish()
    }

    private static func encode(_ event: Event, into builder: inout RecordBatchBuilder) {
        event.payload.withUnsafeBytes { payload in
            if let key = event.key {
                key.withUnsafeBytes { key in
                    builder.beginRecord(
                        timestamp: event.timestamp, key: key, value: payload, headerCount: 1 + event.headers.count)
                }
            } else {
                builder.beginRecord(timestamp: event.timestamp, key: nil, value: payload, headerCount: 1 + event.headers.count)
            }
        }
        event.id.withUnsafeBytes { id in
            RecordDecoder.idHeaderName.withUnsafeBytes { builder.addHeader(name: $0, value: id) }
        }
        for header in event.headers {
            var name = header.name
            name.withUTF8 { name in
                header.value.withUnsafeBytes { builder.addHeader(name: UnsafeRawBufferPointer(name), value: $0) }
            }
        }
        builder.endRecord()
    }
}

extension EncodedAppend.Layout {
    /// The places of the events, in their order, from the engine's receipts.
    func places(_ receipts: [AppendReceipt]) -> [RecordPlace] {
        if slots.isEmpty {
            return zip(partitions, receipts).map { RecordPlace(partition: $0, offset: $1.baseOffset) }
        }
        return slots.map { slot in
            let receipt = receipts[Int(slot.append)]
            return RecordPlace(
                partition: partitions[Int(slot.append)], offset: receipt.baseOffset + Int64(slot.index))
        }
    }
}
