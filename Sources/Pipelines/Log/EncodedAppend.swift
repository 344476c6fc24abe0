import EmbeddedLog
import Martlet

/// Events encoded for the engine: one record batch for each partition they go to.
struct EncodedAppend: Sendable {
    /// What goes to one partition.
    struct Part: Sendable {
        let partition: Int32
        let records: RecordBatch
        /// Rows of the mark, one a record; empty without one.
        let rows: [Int64]
    }

    let parts: [Part]
    let layout: Layout

    /// Where the events are among the appends. What waits for the receipts keeps this, and not the records.
    struct Layout: Sendable {
        /// The partition of each append.
        fileprivate let partitions: [Int32]
        /// For each event, which append it is in and its index there; empty for a single event.
        fileprivate let slots: [(append: Int32, index: Int32)]
    }

    /// - Parameter producer: who appends, for batches whose repetition the log should recognise.
    init(
        _ events: [Event], partitions: Int, mark: Martlet.ProducerMark?, spreader: KeylessSpreader, producer: RemoteProducer? = nil
    ) {
        if events.count == 1 {
            self.init(events, at: Self.partition(of: events[0], partitions, spreader), mark, producer)
        } else {
            self.init(sorting: events, partitions, mark, keyless: spreader.partition(count: partitions), producer)
        }
    }

    /// The same for the engine.
    func appends(_ topic: String, mark: Martlet.ProducerMark?) -> [PartitionAppend] {
        parts.map { part in
            PartitionAppend(
                topic: topic, partition: part.partition, records: part.records,
                producer: mark.map { LogMark(producerID: $0.producerID, rows: part.rows) })
        }
    }

    private init(
        sorting events: [Event], _ partitions: Int, _ mark: Martlet.ProducerMark?, keyless: Int32, _ producer: RemoteProducer?
    ) {
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
        parts = zip(order, members).map { partition, members in
            Part(
                partition: partition, records: Self.encode(events, members, producer?.identity(in: partition)),
                rows: mark.map { mark in members.map { mark.rows[$0] } } ?? [])
        }
    }

    /// One event needs no sorting by partitions.
    private init(_ events: [Event], at partition: Int32, _ mark: Martlet.ProducerMark?, _ producer: RemoteProducer?) {
        layout = Layout(partitions: [partition], slots: [])
        let records = Self.encode(events, CollectionOfOne(0), producer?.identity(in: partition))
        parts = [Part(partition: partition, records: records, rows: mark?.rows ?? [])]
    }

    private static func partition(of event: Event, _ partitions: Int, _ spreader: KeylessSpreader) -> Int32 {
        event.key.map { KafkaPartitioner.partition(of: $0, count: partitions) } ?? spreader.partition(count: partitions)
    }

    /// Events as one batch, in their order, whatever their partitions.
    static func batch(_ events: [Event]) -> RecordBatch { encode(events, events.indices, nil) }

    private static func encode(_ events: [Event], _ members: some Collection<Int>, _ producer: BatchProducer?) -> RecordBatch {
        let bytes = members.reduce(128) { $0 + 96 + events[$1].payload.count + (events[$1].key?.count ?? 0) }
        var builder = RecordBatchBuilder(capacity: bytes)
        for index in members { encode(events[index], into: &builder) }
        return builder.finish(producer: producer ?? .none)
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
            return zip(partitions, receipts).map { RecordPlace($1.place(of: 0, in: $0)) }
        }
        return slots.map { slot in
            RecordPlace(receipts[Int(slot.append)].place(of: Int(slot.index), in: partitions[Int(slot.append)]))
        }
    }
}

extension EncodedAppend.Layout {
    /// The places of the events, in their order, from those of the records of all parts, one part after the other.
    func places(_ records: [RecordPlace], _ parts: [EncodedAppend.Part]) -> [RecordPlace] {
        if slots.isEmpty { return records }
        var starts: [Int] = []
        var start = 0
        for part in parts {
            starts.append(start)
            start += part.records.recordCount
        }
        return slots.map { records[starts[Int($0.append)] + Int($0.index)] }
    }
}

extension RecordPlace {
    init(_ place: (partition: Int32, offset: Int64)) {
        self.init(partition: place.partition, offset: place.offset)
    }
}
