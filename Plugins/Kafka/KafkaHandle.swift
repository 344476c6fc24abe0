import CRdKafka
import Glibc
import Martlet
import Synchronization

/// One client of librdkafka, with its connections and threads. It is destroyed, on a thread of its own, once nobody holds it:
/// whoever calls into it does, so that a call that blocks outlives a close.
final class KafkaHandle: Sendable {
    enum Kind {
        case producer, consumer
    }

    let client: KafkaPointer
    /// Where delivery reports, errors and answers to commits come.
    let mainQueue: KafkaPointer
    private let callbacks: KafkaCallbacks
    private let topics = Mutex<[TopicName: KafkaPointer]>([:])

    var raw: OpaquePointer { client.raw }

    /// - Throws: blocked, `log.kafka_setting`, if librdkafka refuses a setting, a certificate's file among them.
    init(_ kind: Kind, _ settings: [(String, String)], _ callbacks: KafkaCallbacks) throws(ModuleError) {
        guard let conf = rd_kafka_conf_new() else { throw .transient("log.kafka_failed", "librdkafka has no memory") }
        var text = [CChar](repeating: 0, count: 512)
        for (name, value) in settings where rd_kafka_conf_set(conf, name, value, &text, text.count) != RD_KAFKA_CONF_OK {
            rd_kafka_conf_destroy(conf)
            throw Self.refused(text)
        }
        let opaque = Unmanaged.passRetained(callbacks)
        rd_kafka_conf_set_opaque(conf, opaque.toOpaque())
        rd_kafka_conf_set_error_cb(conf, kafkaFailed)
        rd_kafka_conf_set_log_cb(conf, kafkaLogged)
        if kind == .producer { rd_kafka_conf_set_dr_msg_cb(conf, kafkaDelivered) }
        if callbacks.isMember { rd_kafka_conf_set_rebalance_cb(conf, kafkaRebalanced) }
        guard let made = rd_kafka_new(kind == .producer ? RD_KAFKA_PRODUCER : RD_KAFKA_CONSUMER, conf, &text, text.count) else {
            rd_kafka_conf_destroy(conf)
            opaque.release()
            throw Self.refused(text)
        }
        guard let queue = rd_kafka_queue_get_main(made) else { preconditionFailure("every client has a main queue") }
        client = KafkaPointer(raw: made)
        mainQueue = KafkaPointer(raw: queue)
        self.callbacks = callbacks
        callbacks.attach(self)
        rd_kafka_queue_cb_event_enable(queue, kafkaHasNews, opaque.toOpaque())
        callbacks.wake()
    }

    deinit {
        rd_kafka_queue_cb_event_enable(mainQueue.raw, nil, nil)
        rd_kafka_queue_destroy(mainQueue.raw)
        for topic in topics.withLock({ $0.values }) { rd_kafka_topic_destroy(topic.raw) }
        // It waits for the client's threads to end.
        let remains = Unmanaged.passRetained(KafkaRemains(client: client, callbacks: callbacks))
        var thread = pthread_t()
        if pthread_create(&thread, nil, { kafkaBuries($0) }, remains.toOpaque()) == 0 {
            pthread_detach(thread)
        } else {
            _ = kafkaBuries(remains.toOpaque())
        }
    }

    private static func refused(_ text: [CChar]) -> ModuleError {
        let reason = text.withUnsafeBytes { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
        return .blocked("log.kafka_setting", "librdkafka refuses a setting of the block `log`: \(reason)")
    }

    /// The client's handle of a topic, made at the first call with the settings given.
    func topic(_ name: TopicName, _ settings: [(String, String)] = []) throws(ModuleError) -> KafkaPointer {
        try topics.withLock { topics throws(ModuleError) in
            if let topic = topics[name] { return topic }
            guard let conf = rd_kafka_default_topic_conf_dup(raw) else { throw .transient("log.kafka_failed", "librdkafka has no memory") }
            var text = [CChar](repeating: 0, count: 512)
            for (key, value) in settings where rd_kafka_topic_conf_set(conf, key, value, &text, text.count) != RD_KAFKA_CONF_OK {
                rd_kafka_topic_conf_destroy(conf)
                throw Self.refused(text)
            }
            guard let made = rd_kafka_topic_new(raw, name.text, conf) else {
                throw callbacks.error(rd_kafka_last_error(), cannot: "use the topic \(name)")
            }
            topics[name] = KafkaPointer(raw: made)
            return KafkaPointer(raw: made)
        }
    }

    /// The error after which a producer takes nothing more; nil if there was none.
    var fatalError: (code: rd_kafka_resp_err_t, reason: String)? {
        var text = [CChar](repeating: 0, count: 512)
        let code = rd_kafka_fatal_error(raw, &text, text.count)
        guard code != RD_KAFKA_RESP_ERR_NO_ERROR else { return nil }
        return (code, text.withUnsafeBytes { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) })
    }

    /// Hands out what has come to the main queue.
    func serve() {
        rd_kafka_poll(raw, 0)
    }
}

/// What is left of a client that nobody holds any more.
private final class KafkaRemains: Sendable {
    let client: KafkaPointer
    let callbacks: KafkaCallbacks

    init(client: KafkaPointer, callbacks: KafkaCallbacks) {
        self.client = client
        self.callbacks = callbacks
    }
}

/// Destroys a client, on a thread that Swift does not know.
private nonisolated func kafkaBuries(_ context: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
    guard let context else { return nil }
    let remains = Unmanaged<KafkaRemains>.fromOpaque(context).takeRetainedValue()
    rd_kafka_destroy_flags(remains.client.raw, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE)
    remains.callbacks.hasEnded()
    // The client's own reference, now that it calls nobody.
    Unmanaged.passUnretained(remains.callbacks).release()
    return nil
}
