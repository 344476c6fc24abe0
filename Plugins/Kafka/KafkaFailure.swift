import CRdKafka
import Martlet

/// What librdkafka's errors mean.
///
/// Codes: `log.kafka_away`, `log.kafka_timeout`, `log.kafka_replicas`, `log.kafka_failed`, `log.overloaded`, `log.not_open` and
/// `log.not_owner` are transient; `log.record_too_large` and `log.kafka_invalid_record` permanent; `log.kafka_authentication`,
/// `log.kafka_authorization`, `log.kafka_refused`, `log.kafka_unsupported`, `log.unknown_topic`, `log.fewer_partitions` and
/// `log.invalid_topic` blocked.
enum KafkaFailure {
    static let closed = ModuleError.transient("log.not_open", "the log is not open")

    /// - Parameters:
    ///   - action: what could not be done: completes "cannot …".
    ///   - detail: what librdkafka says beyond the error's own words.
    static func error(_ code: rd_kafka_resp_err_t, cannot action: String, at servers: String, _ detail: String? = nil) -> ModuleError {
        let name = String(cString: rd_kafka_err2name(code))
        let reason = "\(detail ?? String(cString: rd_kafka_err2str(code))) (\(name))"
        let text = "Kafka at \(servers): cannot \(action): \(reason)"
        switch code {
        case RD_KAFKA_RESP_ERR__TRANSPORT, RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN, RD_KAFKA_RESP_ERR__RESOLVE,
            RD_KAFKA_RESP_ERR_BROKER_NOT_AVAILABLE, RD_KAFKA_RESP_ERR__WAIT_COORD, RD_KAFKA_RESP_ERR_COORDINATOR_NOT_AVAILABLE:
            return .transient("log.kafka_away", "\(text); do the brokers run, and does `bootstrap_servers` name them?")
        case RD_KAFKA_RESP_ERR__TIMED_OUT, RD_KAFKA_RESP_ERR__MSG_TIMED_OUT, RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT,
            RD_KAFKA_RESP_ERR__TIMED_OUT_QUEUE:
            return .transient("log.kafka_timeout", "\(text); the brokers are away, or slower than the log's timeouts allow")
        case RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS, RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS_AFTER_APPEND:
            return .transient("log.kafka_replicas", "\(text); fewer replicas are in sync than `min.insync.replicas` asks for")
        case RD_KAFKA_RESP_ERR__QUEUE_FULL:
            return .transient("log.overloaded", "\(text); try again later")
        case RD_KAFKA_RESP_ERR_UNKNOWN_MEMBER_ID, RD_KAFKA_RESP_ERR_ILLEGAL_GENERATION, RD_KAFKA_RESP_ERR_REBALANCE_IN_PROGRESS,
            RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID, RD_KAFKA_RESP_ERR__UNKNOWN_GROUP:
            return .transient("log.not_owner", "\(text); the partition is another member's now, or the group is being divided anew")
        case RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE, RD_KAFKA_RESP_ERR_RECORD_LIST_TOO_LARGE:
            return .permanent("log.record_too_large", "\(text); send less, or raise the topic's `max.message.bytes` on the brokers")
        case RD_KAFKA_RESP_ERR_INVALID_RECORD, RD_KAFKA_RESP_ERR_INVALID_TIMESTAMP, RD_KAFKA_RESP_ERR_INVALID_MSG:
            return .permanent(
                "log.kafka_invalid_record", "\(text); the brokers refuse the record for what it is: see its key and timestamp")
        default:
            return blocked(code, text) ?? .transient("log.kafka_failed", text)
        }
    }

    /// What the operator has to mend.
    private static func blocked(_ code: rd_kafka_resp_err_t, _ text: String) -> ModuleError? {
        switch code {
        case RD_KAFKA_RESP_ERR__AUTHENTICATION, RD_KAFKA_RESP_ERR_SASL_AUTHENTICATION_FAILED, RD_KAFKA_RESP_ERR__SSL,
            RD_KAFKA_RESP_ERR_UNSUPPORTED_SASL_MECHANISM, RD_KAFKA_RESP_ERR_ILLEGAL_SASL_STATE:
            .blocked("log.kafka_authentication", "\(text); check `security_protocol`, the certificates, user and password")
        case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED, RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED,
            RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED, RD_KAFKA_RESP_ERR_TRANSACTIONAL_ID_AUTHORIZATION_FAILED:
            .blocked("log.kafka_authorization", "\(text); give the user of this host that right on the brokers")
        case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART, RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC, RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION:
            .blocked("log.unknown_topic", "\(text); was the topic deleted?")
        case RD_KAFKA_RESP_ERR_POLICY_VIOLATION, RD_KAFKA_RESP_ERR_INVALID_CONFIG, RD_KAFKA_RESP_ERR_INVALID_REPLICATION_FACTOR,
            RD_KAFKA_RESP_ERR_INVALID_PARTITIONS, RD_KAFKA_RESP_ERR_INVALID_REQUIRED_ACKS, RD_KAFKA_RESP_ERR_TOPIC_EXCEPTION,
            RD_KAFKA_RESP_ERR_INVALID_GROUP_ID, RD_KAFKA_RESP_ERR_INVALID_SESSION_TIMEOUT,
            RD_KAFKA_RESP_ERR_INCONSISTENT_GROUP_PROTOCOL, RD_KAFKA_RESP_ERR__INVALID_ARG:
            .blocked("log.kafka_refused", "\(text); the brokers do not allow what the config asks for")
        case RD_KAFKA_RESP_ERR__UNSUPPORTED_FEATURE, RD_KAFKA_RESP_ERR_UNSUPPORTED_VERSION,
            RD_KAFKA_RESP_ERR_UNSUPPORTED_FOR_MESSAGE_FORMAT, RD_KAFKA_RESP_ERR_UNSUPPORTED_COMPRESSION_TYPE:
            .blocked("log.kafka_unsupported", "\(text); these brokers cannot do it")
        default: nil
        }
    }

    /// An error that concerns the way to the brokers, whatever was asked.
    static func isTrouble(_ error: ModuleError) -> Bool {
        ["log.kafka_away", "log.kafka_timeout", "log.kafka_authentication"].contains(error.code)
    }

    static func unknownTopic(_ topic: TopicName) -> ModuleError {
        .blocked("log.unknown_topic", "the log has no topic \(topic); add it to `topics`")
    }

    static func notOwner(_ group: GroupName, _ topic: TopicName, _ partition: PartitionID) -> ModuleError {
        .transient(
            "log.not_owner", "partition \(topic)/\(partition) is not this host's part of the group \(group): it is another member's")
    }
}
