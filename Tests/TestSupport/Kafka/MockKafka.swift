package import CRdKafka

/// librdkafka's mock cluster: brokers in this process that listen on loopback and speak Kafka's protocol. It knows neither
/// CreateTopics, CreatePartitions and ListGroups nor offsets by time, and answers a request for records that are not there
/// only when its wait is over.
package final class MockKafka: @unchecked Sendable {
    // Unchecked: librdkafka locks its clients and its mock clusters itself.
    private let client: OpaquePointer
    private let cluster: OpaquePointer

    package init(brokers: Int = 1) throws {
        let conf = rd_kafka_conf_new()
        rd_kafka_conf_set(conf, "log_level", "0", nil, 0)
        guard let client = rd_kafka_new(RD_KAFKA_PRODUCER, conf, nil, 0), let cluster = rd_kafka_mock_cluster_new(client, CInt(brokers)) else {
            throw TestFailure("librdkafka makes no mock cluster")
        }
        self.client = client
        self.cluster = cluster
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

    /// Brokers count from 1.
    package func stop(_ broker: Int = 1) { rd_kafka_mock_broker_set_down(cluster, CInt(broker)) }
    package func start(_ broker: Int = 1) { rd_kafka_mock_broker_set_up(cluster, CInt(broker)) }

    /// The next requests of a kind get these errors for answers.
    package func fail(_ request: Request, _ errors: [rd_kafka_resp_err_t]) {
        rd_kafka_mock_push_request_errors_array(cluster, request.rawValue, errors.count, errors)
    }

    /// Kafka's numbers of requests (protocol guide).
    package enum Request: Int16 {
        case produce = 0, fetch = 1, listOffsets = 2, metadata = 3, offsetCommit = 8
    }
}
