import Martlet

/// The records of a contract: `record-0`, `record-1` …, with payloads that the author's module understands.
struct ContractRecords: Sendable {
    let payload: @Sendable (Int) -> String

    /// A record with this number as its offset; its key is one of four, and it has a header.
    func record(_ number: Int, _ payload: String? = nil, partition: PartitionID = 0) -> Record {
        Record(
            topic: "contract", partition: partition, offset: Offset(number),
            event: Event(
                id: Bytes("record-\(number)"), key: Bytes("key-\(number % 4)"), headers: [Header("number", Bytes("\(number)"))],
                payload: Bytes(payload ?? self.payload(number)), timestamp: 1_700_000_000_000 + Int64(number)))
    }

    func records(_ numbers: Range<Int>, partition: PartitionID = 0) -> [Record] {
        numbers.map { record($0, partition: partition) }
    }

    /// The records as a channel or a bus gets them.
    func messages(_ numbers: Range<Int>, partition: PartitionID = 0) -> [Message] {
        records(numbers, partition: partition).map { Message(record: $0, previousOffset: $0.offset - 1) }
    }
}

extension Record {
    /// All that can be seen of the record, for comparing.
    var fingerprint: String {
        let headers = event.headers.map { "\($0.name)=\($0.value)" }.joined(separator: ",")
        return "\(topic)/\(partition)@\(offset).\(index) id=\(event.id) key=\(event.key.map { "\($0)" } ?? "-") headers=[\(headers)] "
            + "timestamp=\(event.timestamp) payload=\(event.payload)"
    }
}
