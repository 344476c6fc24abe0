package import CRdKafka

/// librdkafka's mock cluster: brokers in this process that listen on loopback and speak Kafka's protocol. It knows neither
/// CreateTopics, CreatePartitions and ListGroups nor offsets by time, and answers a request for records that are not there
/// only when its wait is over.
package final class MockKafka: @unchecked Sendable {
    // Unchecked: librdkafka locks its clients and its mock clusters itself.
    private let client: OpaquePointer
    private let cluster: OpaquePointer
    private let brokers: Int

    package init(brokers: Int = 1) throws {
        let conf = rd_kafka_conf_new()
        rd_kafka_conf_set(conf, "log_level", "0", nil, 0)
        guard let client = rd_kafka_new(RD_KAFKA_PRODUCER, conf, nil, 0), let cluster = rd_kafka_mock_cluster_new(client, CInt(brokers)) else {
            throw TestFailure("librdkafka makes no mock cluster")
        }
        self.client = client
        self.cluster = cluster
        self.brokers = brokers
    }

    deinit {
        rd_kafka_mock_cluster_destroy(cluster)
        rd_kafka_destroy(client)
    }

    /// `host:port` of each broker.
    package var servers: [String] { String(cString: rd_kafka_mock_cluster_bootstraps(cluster)).split(separator: ",").map(String.init) }

    /// Nothing, if the topic is there already.
    package func make(_ topic: String, partitions: Int) {
        _ = rd_kafka_mock_topic_create(cluster, topic, CInt(partitions), 1)
    }

    /// Makes a broker a partition's leader.
    package func lead(_ topic: String, _ partition: Int32, by broker: Int) {
        rd_kafka_mock_partition_set_leader(cluster, topic, partition, CInt(broker))
    }

    /// Brokers count from 1.
    package func stop(_ broker: Int = 1) { rd_kafka_mock_broker_set_down(cluster, CInt(broker)) }
    package func start(_ broker: Int = 1) { rd_kafka_mock_broker_set_up(cluster, CInt(broker)) }

    /// From now on the brokers take connections and requests, and answer none of them for ten minutes.
    package func fallSilent() {
        for broker in 1...brokers { rd_kafka_mock_broker_set_rtt(cluster, CInt(broker), 600_000) }
    }

    /// The next requests of a kind get these errors for answers.
    package func fail(_ request: Request, _ errors: [rd_kafka_resp_err_t]) {
        rd_kafka_mock_push_request_errors_array(cluster, request.rawValue, errors.count, errors)
    }

    /// What ``fail(_:_:)`` has left is not answered with errors any more.
    package func mend(_ request: Request) { rd_kafka_mock_clear_request_errors(cluster, request.rawValue) }

    /// Kafka's numbers of requests (protocol guide).
    package enum Request: Int16 {
        case produce = 0, fetch = 1, listOffsets = 2, metadata = 3, offsetCommit = 8, initProducerID = 22
    }
}
