import CRdKafka
import Martlet
import Synchronization

/// A producer's client, from its making to an error after which another takes its place.
final class KafkaProducerClient: Sendable {
    private let handle: KafkaHandle
    private let callbacks: KafkaCallbacks
    private let settings: KafkaSettings
    private let threads: KafkaThreads
    private let isGivenUp = Atomic<Bool>(false)

    init(_ settings: KafkaSettings, _ callbacks: KafkaCallbacks, _ threads: KafkaThreads) throws(ModuleError) {
        self.settings = settings
        self.callbacks = callbacks
        self.threads = threads
        handle = try KafkaHandle(.producer, settings.producer, callbacks)
    }

    /// Whether it takes more records.
    var isUsable: Bool { !isGivenUp.load(ordering: .acquiring) && !callbacks.isDead }

    func topic(_ topic: KafkaTopic) throws(ModuleError) -> KafkaPointer {
        try handle.topic(topic.info.name, settings.producer(of: topic.compression))
    }

    /// Queues one record.
    func produce(_ event: Event, to topic: KafkaPointer, opaque: UnsafeMutableRawPointer) -> rd_kafka_resp_err_t {
        let headers = rd_kafka_headers_new(1 + event.headers.count)
        Self.add(Event.idHeader, event.id, to: headers)
        for header in event.headers { Self.add(header.name, header.value, to: headers) }
        let code = event.payload.withUnsafeBytes { payload in
            guard let key = event.key else {
                return martlet_kafka_produce(
                    handle.raw, topic.raw, nil, 0, payload.baseAddress, payload.count, event.timestamp, headers, opaque)
            }
            return key.withUnsafeBytes { key in
                martlet_kafka_produce(
                    handle.raw, topic.raw, key.baseAddress, key.count, payload.baseAddress, payload.count, event.timestamp, headers, opaque)
            }
        }
        if code != RD_KAFKA_RESP_ERR_NO_ERROR { rd_kafka_headers_destroy(headers) }
        return code
    }

    private static func add(_ name: String, _ value: Bytes, to headers: OpaquePointer?) {
        var name = name
        name.withUTF8 { name in
            name.withMemoryRebound(to: CChar.self) { name in
                value.withUnsafeBytes { value in
                    _ = rd_kafka_header_add(headers, name.baseAddress, name.count, value.baseAddress, value.count)
                }
            }
        }
    }

    /// Why it takes nothing more, if a fatal error is the reason: in the words of what was to be done.
    func death(_ topic: TopicName) -> ModuleError? {
        handle.fatalError.map { callbacks.error($0.code, cannot: "append to \(topic)", $0.reason) }
    }

    func error(_ code: rd_kafka_resp_err_t, _ topic: TopicName) -> ModuleError {
        switch code {
        case RD_KAFKA_RESP_ERR__FATAL, RD_KAFKA_RESP_ERR__PURGE_QUEUE, RD_KAFKA_RESP_ERR__PURGE_INFLIGHT:
            death(topic)
                ?? .transient(
                    "log.kafka_timeout",
                    "Kafka at \(settings.servers): cannot append to \(topic): the log is closing, or the brokers have not taken an earlier "
                        + "event in time, which later ones must not overtake")
        default: callbacks.error(code, cannot: "append to \(topic)")
        }
    }

    /// A record was not delivered.
    func failed(_ code: rd_kafka_resp_err_t) {
        switch code {
        // What waits behind it, of the same append or of others, would overtake it, since whoever appended tries it again.
        case RD_KAFKA_RESP_ERR__MSG_TIMED_OUT, RD_KAFKA_RESP_ERR__FATAL: giveUp()
        default: if callbacks.isDead { giveUp() }
        }
    }

    /// Fails whatever is not acknowledged yet; takes nothing more.
    func giveUp() {
        guard !isGivenUp.exchange(true, ordering: .acquiringAndReleasing) else { return }
        purge()
    }

    /// Records were queued: if it was given up meanwhile, they fail too.
    func queued() {
        if isGivenUp.load(ordering: .acquiring) { purge() }
    }

    private func purge() {
        threads.serve { [handle] in
            rd_kafka_purge(handle.raw, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT | RD_KAFKA_PURGE_F_NON_BLOCKING)
        }
    }
}
