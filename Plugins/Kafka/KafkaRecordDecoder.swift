import CRdKafka
import Glibc
import Martlet

/// Turns librdkafka's messages into records. Their bytes are copied, once and into one piece of memory a record: librdkafka's
/// own have no padding behind them, and would pin a whole answer of a broker.
enum KafkaRecordDecoder {
    private struct Field {
        let name: UnsafePointer<CChar>
        let value: UnsafeRawBufferPointer
    }

    static func record(_ message: UnsafeMutablePointer<rd_kafka_message_t>, topic: TopicName, partition: PartitionID) -> Record {
        let fields = message.pointee
        let headers = headers(of: message)
        let value = UnsafeRawBufferPointer(start: fields.payload, count: fields.payload == nil ? 0 : fields.len)
        let key = UnsafeRawBufferPointer(start: fields.key, count: fields.key == nil ? 0 : fields.key_len)
        let total = headers.reduce(value.count + key.count) { $0 + $1.value.count }
        let bytes = Bytes(capacity: total) { target in
            var end = 0
            func append(_ part: UnsafeRawBufferPointer) {
                guard let source = part.baseAddress, !part.isEmpty, let start = target.baseAddress else { return }
                (start + end).copyMemory(from: source, byteCount: part.count)
                end += part.count
            }
            append(value)
            append(key)
            for header in headers { append(header.value) }
            return total
        }
        var end = value.count + key.count
        var id: Bytes?
        var own: [Header] = []
        for header in headers {
            let slice = bytes.slice(end..<end + header.value.count)
            end += header.value.count
            if id == nil, strcmp(header.name, Event.idHeader) == 0 {
                id = slice
            } else {
                own.append(Header(String(cString: header.name), slice))
            }
        }
        var type = RD_KAFKA_TIMESTAMP_NOT_AVAILABLE
        let timestamp = rd_kafka_message_timestamp(message, &type)
        let event = Event(
            // A foreign record without an id is named by its place.
            id: id ?? Bytes("\(topic)/\(partition)/\(fields.offset)"),
            key: fields.key == nil ? nil : bytes.slice(value.count..<value.count + key.count), headers: own,
            payload: bytes.slice(0..<value.count), timestamp: type == RD_KAFKA_TIMESTAMP_NOT_AVAILABLE ? 0 : timestamp)
        return Record(topic: topic, partition: partition, offset: fields.offset, event: event)
    }

    private static func headers(of message: UnsafeMutablePointer<rd_kafka_message_t>) -> [Field] {
        var list: OpaquePointer?
        guard rd_kafka_message_headers(message, &list) == RD_KAFKA_RESP_ERR_NO_ERROR, let list else { return [] }
        var fields: [Field] = []
        var name: UnsafePointer<CChar>?
        var value: UnsafeRawPointer?
        var size = 0
        while rd_kafka_header_get_all(list, fields.count, &name, &value, &size) == RD_KAFKA_RESP_ERR_NO_ERROR, let found = name {
            fields.append(Field(name: found, value: UnsafeRawBufferPointer(start: value, count: value == nil ? 0 : size)))
        }
        return fields
    }
}
