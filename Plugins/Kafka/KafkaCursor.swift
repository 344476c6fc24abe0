import CRdKafka
import Martlet

/// A place in a partition from which records are fetched ahead into a queue of its own.
///
/// The log's simple consumer API: one client (a lane) has one place in each partition.
final class KafkaCursor: @unchecked Sendable {
    // Unchecked: `isTaken` and `lastUse` belong to the partition's lock; all the rest to whoever has taken the cursor, and
    // `stands(at:)` is asked, under that lock, only of one that nobody has taken.

    /// A record's size, before the first one was seen.
    private static let usualBytes = 1_024
    private static let batchLimit = 256

    let lane: Int
    /// Signalled when something comes to the queue.
    let news = KafkaSignal()
    var isTaken = true
    var lastUse = ContinuousClock.now

    private let handle: KafkaHandle
    private let topic: KafkaPointer
    private let queue: KafkaPointer
    private let bell: Unmanaged<KafkaBell>
    private unowned let partition: KafkaPartition
    /// Records that were taken from the queue and not handed out.
    private var page = FIFOQueue<Record>()
    private var pageBytes = 0
    private var recordBytes = KafkaCursor.usualBytes
    /// After the last record that was handed out.
    private var base: Offset
    /// The next offset that librdkafka will bring; what lies between the last record and it holds none.
    private(set) var position: Offset
    /// Whether the partition ended at `position` when the brokers last said.
    private var isAtEnd = false
    private var failure: ModuleError?
    var hasFailed: Bool { failure != nil }
    /// Whether librdkafka has left the offset because the partition does not have it.
    private(set) var isOutOfRange = false

    /// Begins to fetch at an offset.
    init(
        _ handle: KafkaHandle, lane: Int, in partition: KafkaPartition, at offset: Offset, _ callbacks: KafkaCallbacks
    ) throws(ModuleError) {
        topic = try handle.topic(partition.topic)
        guard let made = rd_kafka_queue_new(handle.raw) else { throw .transient("log.kafka_failed", "librdkafka has no memory") }
        self.handle = handle
        self.lane = lane
        self.partition = partition
        queue = KafkaPointer(raw: made)
        base = offset
        position = offset
        bell = Unmanaged.passRetained(KafkaBell(news, partition))
        rd_kafka_queue_cb_event_enable(made, kafkaRings, bell.toOpaque())
        guard rd_kafka_consume_start_queue(topic.raw, partition.number, offset, made) == 0 else {
            let code = rd_kafka_last_error()
            forget()
            throw callbacks.error(code, cannot: "read \(partition.topic)/\(partition.number) from offset \(offset)")
        }
    }

    /// Stops fetching. To be called once, from a thread that may block.
    func close() {
        rd_kafka_consume_stop(topic.raw, partition.number)
        forget()
    }

    private func forget() {
        rd_kafka_queue_cb_event_enable(queue.raw, nil, nil)
        rd_kafka_queue_destroy(queue.raw)
        bell.release()
    }

    /// Whether the next record that it hands out is the first at the offset or after it.
    func stands(at offset: Offset) -> Bool {
        offset >= base && offset <= (page.count > 0 ? page[0].offset : position)
    }

    /// Goes to another offset. What was fetched elsewhere is dropped.
    func move(to offset: Offset, _ callbacks: KafkaCallbacks) throws(ModuleError) {
        let code = rd_kafka_seek(topic.raw, partition.number, offset, 0)
        guard code == RD_KAFKA_RESP_ERR_NO_ERROR else {
            throw callbacks.error(code, cannot: "read \(partition.topic)/\(partition.number) from offset \(offset)")
        }
        page = FIFOQueue()
        pageBytes = 0
        base = offset
        position = offset
        isAtEnd = false
    }

    /// The brokers said that the partition ends where the cursor stands.
    func isKnownToEnd() { isAtEnd = true }

    /// Whether it has handed out all that the partition has, as far as this host knows.
    var hasReachedEnd: Bool { page.count == 0 && isAtEnd && partition.end <= position }
    /// Whether the brokers said that the partition ends here, and this host knows of more.
    var isBeforeKnownEnd: Bool { page.count == 0 && isAtEnd && partition.end > position }
    var hasRecords: Bool { page.count > 0 }

    /// Takes what was fetched until there are so many bytes; does not wait.
    ///
    /// - Throws: what librdkafka reports of the partition, once there are no records before it.
    func fill(_ bytes: Int, _ callbacks: KafkaCallbacks) throws(ModuleError) {
        while failure == nil, pageBytes < max(1, bytes) {
            let wanted = max(1, min(Self.batchLimit, (bytes - pageBytes) / recordBytes + 1))
            let isMore = withUnsafeTemporaryAllocation(of: UnsafeMutablePointer<rd_kafka_message_t>?.self, capacity: wanted) { messages in
                let count = rd_kafka_consume_batch_queue(queue.raw, 0, messages.baseAddress, wanted)
                for index in 0..<max(0, count) {
                    guard let message = messages[index] else { continue }
                    take(message, callbacks)
                    rd_kafka_message_destroy(message)
                }
                return count == wanted
            }
            if !isMore { break }
        }
        if page.count > 0 {
            noteEnd()
        } else if let failure {
            throw failure
        }
    }

    private func take(_ message: UnsafeMutablePointer<rd_kafka_message_t>, _ callbacks: KafkaCallbacks) {
        let fields = message.pointee
        switch fields.err {
        case RD_KAFKA_RESP_ERR_NO_ERROR:
            // Of a batch that begins before the offset asked for.
            guard fields.offset >= position else { return }
            let record = KafkaRecordDecoder.record(message, topic: partition.topic, partition: partition.number)
            page.append(record)
            let bytes = record.event.byteCount
            pageBytes += bytes
            recordBytes = max(1, (recordBytes * 7 + bytes) / 8)
            position = fields.offset + 1
            isAtEnd = false
        case RD_KAFKA_RESP_ERR__PARTITION_EOF:
            position = max(position, fields.offset)
            isAtEnd = true
            partition.heard(end: position, emptyFrom: page.count > 0 ? page[page.count - 1].offset + 1 : base)
        default:
            isOutOfRange = fields.err == RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET || fields.err == RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE
            failure = callbacks.error(
                fields.err, cannot: "read \(partition.topic)/\(partition.number) from offset \(position)",
                rd_kafka_message_errstr(message).map { String(cString: $0) })
        }
    }

    /// What the answer that brought the records said of the partition's end; librdkafka asks nobody for it.
    private func noteEnd() {
        partition.hasRecord(at: page[page.count - 1].offset)
        guard let end = watermark else { return }
        partition.heard(end: end)
        if end == position { isAtEnd = true }
    }

    /// The partition's end by the last answer to a fetch; nil before the first.
    private var watermark: Offset? {
        var first: Int64 = 0
        var end: Int64 = 0
        let code = rd_kafka_get_watermark_offsets(handle.raw, partition.topic.text, partition.number, &first, &end)
        return code == RD_KAFKA_RESP_ERR_NO_ERROR && end >= 0 ? end : nil
    }

    /// Whether the last answer to a fetch told of an end before the place where the cursor stands.
    var isBeyondWatermark: Bool { watermark.map { $0 < position } ?? false }

    /// Hands out records up to about so many bytes, at least one if there is any.
    func takeRecords(_ bytes: Int) -> [Record] {
        var records: [Record] = []
        var taken = 0
        while page.count > 0, taken < max(1, bytes) {
            let record = page.removeFirst()
            taken += record.event.byteCount
            records.append(record)
        }
        pageBytes -= taken
        base = records.last.map { $0.offset + 1 } ?? base
        return records
    }

    /// Where to go on after what was handed out.
    var next: Offset { page.count > 0 ? base : position }
}

/// What librdkafka's queue rings when something comes to an empty one.
private final class KafkaBell: Sendable {
    private let news: KafkaSignal
    private let partition: KafkaPartition

    init(_ news: KafkaSignal, _ partition: KafkaPartition) {
        self.news = news
        self.partition = partition
    }

    func ring() {
        news.signal()
        partition.wakeWaiters()
    }
}

/// Called with the queue's lock held, on librdkafka's threads.
private nonisolated func kafkaRings(_ client: OpaquePointer?, _ opaque: UnsafeMutableRawPointer?) {
    guard let opaque else { return }
    Unmanaged<KafkaBell>.fromOpaque(opaque).takeUnretainedValue().ring()
}
