import CRdKafka
import Glibc
import Martlet

/// Asks the brokers about topics and offsets. All calls block, up to the request timeout each.
final class KafkaAdmin: Sendable {
    private let settings: KafkaSettings
    private let health: ServerHealth
    private let callbacks: KafkaCallbacks
    let handle: KafkaHandle

    var requestTimeout: Int { settings.requestTimeout }

    init(_ settings: KafkaSettings, _ health: ServerHealth, _ callbacks: KafkaCallbacks) throws(ModuleError) {
        self.settings = settings
        self.health = health
        self.callbacks = callbacks
        handle = try KafkaHandle(.consumer, settings.admin, callbacks)
    }

    func error(_ code: rd_kafka_resp_err_t, cannot action: String, _ detail: String? = nil) -> ModuleError {
        callbacks.error(code, cannot: action, detail)
    }

    // MARK: Topics

    /// Which topics the brokers are asked for.
    enum Selection {
        /// All there are. This makes none, even on old brokers that make whatever topic they are asked for.
        case all
        /// Those that ``know(_:)`` was called for.
        case known
    }

    /// Has ``Selection/known`` cover a topic.
    func know(_ topic: TopicName) throws(ModuleError) { _ = try handle.topic(topic) }

    /// The number of partitions of each topic.
    func partitionCounts(_ selection: Selection) throws(ModuleError) -> [TopicName: Int] {
        // In turns, so that a broker that refuses connections is not waited for until the end.
        let turn = 500
        var left = settings.requestTimeout
        while true {
            var found: UnsafePointer<rd_kafka_metadata_t>?
            let code = rd_kafka_metadata(handle.raw, selection == .all ? 1 : 0, nil, &found, CInt(min(turn, left)))
            if code == RD_KAFKA_RESP_ERR_NO_ERROR, let found {
                defer { rd_kafka_metadata_destroy(found) }
                return Self.partitionCounts(found.pointee)
            }
            left -= turn
            let isAway = code == RD_KAFKA_RESP_ERR__TRANSPORT || code == RD_KAFKA_RESP_ERR__TIMED_OUT
            if isAway, left > 0, health.trouble == nil, !callbacks.isClosing { continue }
            let error = error(code, cannot: "ask for the topics")
            throw isAway ? health.trouble ?? error : error
        }
    }

    private static func partitionCounts(_ metadata: rd_kafka_metadata_t) -> [TopicName: Int] {
        var counts: [TopicName: Int] = [:]
        for index in 0..<Int(metadata.topic_cnt) {
            let topic = metadata.topics[index]
            guard topic.err == RD_KAFKA_RESP_ERR_NO_ERROR else { continue }
            counts[TopicName(String(cString: topic.topic))] = Int(topic.partition_cnt)
        }
        return counts
    }

    /// What tells this cluster from another.
    func clusterID() throws(ModuleError) -> String {
        guard let text = rd_kafka_clusterid(handle.raw, CInt(settings.requestTimeout)) else {
            throw error(RD_KAFKA_RESP_ERR__TIMED_OUT, cannot: "ask for the cluster's id")
        }
        defer { rd_kafka_mem_free(handle.raw, text) }
        return String(cString: text)
    }

    func create(_ topic: TopicName, _ wanted: TopicSettings) throws(ModuleError) {
        var text = [CChar](repeating: 0, count: 512)
        let copies = CInt(settings.replicationFactor)
        guard let new = rd_kafka_NewTopic_new(topic.text, CInt(wanted.partitions), copies, &text, text.count) else {
            let reason = text.withUnsafeBytes { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
            throw .blocked("log.invalid_topic", "Kafka takes no topic \"\(topic)\" with \(wanted.partitions) partitions: \(reason)")
        }
        defer { rd_kafka_NewTopic_destroy(new) }
        for (name, value) in configuration(wanted) { rd_kafka_NewTopic_set_config(new, name, value) }
        let action = "make the topic \(topic)"
        let event = try ask(RD_KAFKA_ADMIN_OP_CREATETOPICS, action) { options, queue in
            var topics: [OpaquePointer?] = [new]
            rd_kafka_CreateTopics(handle.raw, &topics, 1, options, queue)
        }
        var count = 0
        try check(rd_kafka_CreateTopics_result_topics(rd_kafka_event_CreateTopics_result(event.raw), &count), count, action)
    }

    private func configuration(_ wanted: TopicSettings) -> [(String, String)] {
        [
            ("retention.ms", String(wanted.retentionMilliseconds ?? -1)), ("retention.bytes", String(wanted.retentionBytes ?? -1)),
            ("cleanup.policy", wanted.cleanup.rawValue), ("segment.bytes", String(min(wanted.segmentBytes, Int(Int32.max)))),
            ("max.message.bytes", String(settings.maxMessageBytes)),
        ]
    }

    func addPartitions(_ topic: TopicName, upTo count: Int) throws(ModuleError) {
        var text = [CChar](repeating: 0, count: 512)
        let action = "give the topic \(topic) \(count) partitions"
        guard let new = rd_kafka_NewPartitions_new(topic.text, count, &text, text.count) else {
            throw error(RD_KAFKA_RESP_ERR__INVALID_ARG, cannot: action)
        }
        defer { rd_kafka_NewPartitions_destroy(new) }
        let event = try ask(RD_KAFKA_ADMIN_OP_CREATEPARTITIONS, action) { options, queue in
            var partitions: [OpaquePointer?] = [new]
            rd_kafka_CreatePartitions(handle.raw, &partitions, 1, options, queue)
        }
        var results = 0
        try check(rd_kafka_CreatePartitions_result_topics(rd_kafka_event_CreatePartitions_result(event.raw), &results), results, action)
    }

    private func check(_ results: UnsafeMutablePointer<OpaquePointer?>?, _ count: Int, _ action: String) throws(ModuleError) {
        for index in 0..<count {
            guard let result = results?[index] else { continue }
            let code = rd_kafka_topic_result_error(result)
            // Another host was quicker.
            if code == RD_KAFKA_RESP_ERR_NO_ERROR || code == RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS { continue }
            throw error(code, cannot: action, rd_kafka_topic_result_error_string(result).map { String(cString: $0) })
        }
    }

    /// Sends a request and waits for its answer.
    func ask(
        _ operation: rd_kafka_admin_op_t, _ action: String, _ send: (_ options: OpaquePointer?, _ queue: OpaquePointer) -> Void
    ) throws(ModuleError) -> KafkaEvent {
        guard let queue = rd_kafka_queue_new(handle.raw) else { throw .transient("log.kafka_failed", "librdkafka has no memory") }
        defer { rd_kafka_queue_destroy(queue) }
        let options = rd_kafka_AdminOptions_new(handle.raw, operation)
        defer { rd_kafka_AdminOptions_destroy(options) }
        rd_kafka_AdminOptions_set_request_timeout(options, CInt(settings.requestTimeout), nil, 0)
        if operation == RD_KAFKA_ADMIN_OP_CREATETOPICS || operation == RD_KAFKA_ADMIN_OP_CREATEPARTITIONS {
            rd_kafka_AdminOptions_set_operation_timeout(options, CInt(settings.requestTimeout), nil, 0)
        }
        send(options, queue)
        guard let event = rd_kafka_queue_poll(queue, CInt(settings.requestTimeout + 1_000)) else {
            throw error(RD_KAFKA_RESP_ERR__TIMED_OUT, cannot: action)
        }
        let answer = KafkaEvent(raw: event)
        let code = rd_kafka_event_error(event)
        guard code == RD_KAFKA_RESP_ERR_NO_ERROR else {
            throw error(code, cannot: action, rd_kafka_event_error_string(event).map { String(cString: $0) })
        }
        return answer
    }

    // MARK: Offsets

    /// The first offset kept and the end of each of these partitions, in two requests a broker; nil where a partition has none
    /// to ask.
    ///
    /// - Parameter timeout: in milliseconds.
    func knownRanges(_ partitions: [(TopicName, PartitionID)], timeout: Int) throws(ModuleError) -> [Range<Offset>?] {
        let starts = try answers(partitions, at: Int64(RD_KAFKA_OFFSET_BEGINNING), timeout: timeout)
        let ends = try answers(partitions, at: Int64(RD_KAFKA_OFFSET_END), timeout: timeout)
        return zip(starts, ends).map { start, end in
            guard let start = try? start.get(), let end = try? end.get() else { return nil }
            return max(0, start)..<max(0, start, end)
        }
    }

    /// As ``knownRanges(_:timeout:)``, of all these partitions.
    ///
    /// - Parameter timeout: in milliseconds; nil for the usual one.
    func ranges(_ partitions: [(TopicName, PartitionID)], timeout: Int? = nil) throws(ModuleError) -> [Range<Offset>] {
        let starts = try offsets(of: partitions, at: Int64(RD_KAFKA_OFFSET_BEGINNING), timeout: timeout)
        let ends = try offsets(of: partitions, at: Int64(RD_KAFKA_OFFSET_END), timeout: timeout)
        return zip(starts, ends).map { max(0, $0)..<max(0, $0, $1) }
    }

    /// The first offset at or after a time; -1 where there is none. The times -2 and -1 mean the first offset and the end
    /// (ListOffsets in Kafka's protocol).
    func offsets(of partitions: [(TopicName, PartitionID)], at time: Int64, timeout: Int? = nil) throws(ModuleError) -> [Offset] {
        var offsets: [Offset] = []
        for answer in try answers(partitions, at: time, timeout: timeout) { offsets.append(try answer.get()) }
        return offsets
    }

    private func answers(
        _ partitions: [(TopicName, PartitionID)], at time: Int64, timeout: Int? = nil
    ) throws(ModuleError) -> [Result<Offset, ModuleError>] {
        guard !partitions.isEmpty else { return [] }
        let list = KafkaPartitionList(capacity: partitions.count)
        for (topic, partition) in partitions { list.add(topic, partition, offset: time) }
        let action = "ask for offsets of " + Set(partitions.map(\.0.text)).sorted().joined(separator: ", ")
        let code = rd_kafka_offsets_for_times(handle.raw, list.raw, CInt(timeout ?? settings.requestTimeout))
        // With one partition, librdkafka puts its error here.
        guard code == RD_KAFKA_RESP_ERR_NO_ERROR else { throw error(code, cannot: action) }
        return partitions.map { topic, partition in
            guard let found = rd_kafka_topic_partition_list_find(list.raw, topic.text, partition)?.pointee else {
                return .failure(error(RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION, cannot: action))
            }
            return found.err == RD_KAFKA_RESP_ERR_NO_ERROR ? .success(found.offset) : .failure(error(found.err, cannot: action))
        }
    }
}

/// An answer of librdkafka; freed at the end.
struct KafkaEvent: ~Copyable {
    let raw: OpaquePointer

    deinit {
        rd_kafka_event_destroy(raw)
    }
}
