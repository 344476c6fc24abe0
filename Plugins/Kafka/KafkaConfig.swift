public import Martlet

/// The fields of `"type": "kafka"`.
public struct KafkaConfig: ModuleConfig {
    /// How the brokers are spoken to.
    public enum SecurityProtocol: String, CaseIterable, ConfigValue {
        case plaintext, ssl
        case saslPlaintext = "sasl_plaintext"
        case saslSSL = "sasl_ssl"

        var usesTLS: Bool { self == .ssl || self == .saslSSL }
        var usesSASL: Bool { self == .saslPlaintext || self == .saslSSL }
    }

    /// How a user proves who he is, by Kafka's names.
    public enum Mechanism: String, CaseIterable, ConfigValue {
        case plain = "PLAIN"
        case scramSHA256 = "SCRAM-SHA-256"
        case scramSHA512 = "SCRAM-SHA-512"
    }

    /// Who has to have a record before it counts as appended.
    public enum Acknowledge: String, CaseIterable, ConfigValue {
        /// All in-sync replicas.
        case all
        /// The partition's leader, on which it can be lost.
        case leader
    }

    public let bootstrapServers: [ConfigText]
    public let clientID: ConfigText
    public let securityProtocol: SecurityProtocol
    public let certificateAuthorityFile: ConfigFilePath?
    public let certificateFile: ConfigFilePath?
    public let keyFile: ConfigFilePath?
    public let mechanism: Mechanism?
    public let username: ConfigText?
    /// Never printed.
    public let password: ConfigText?
    public let replicationFactor: Int
    public let acknowledge: Acknowledge
    public let requestTimeoutMilliseconds: Int
    public let deliveryTimeoutMilliseconds: Int
    public let sessionTimeoutMilliseconds: Int
    public let fetchWaitMilliseconds: Int
    public let maxQueuedBytes: Int
    public let maxFetchBytes: Int
    public let maxRecordBytes: Int

    public init(from fields: inout ConfigFields) {
        bootstrapServers = fields.required(
            "bootstrap_servers", "Brokers to begin with, as `host:port`; the others are learned from them.",
            example: ["kafka-1.example.com:9092"])
        clientID = fields.optional("client_id", default: "martlet", "The name under which the brokers log this host.")
        securityProtocol = fields.optional("security_protocol", default: .plaintext, "How the brokers are spoken to.")
        certificateAuthorityFile = fields.optional(
            "ca_file", "Certificates (PEM) that the brokers' ones must come from; left out, those that the system trusts.",
            example: "kafka-ca.pem")
        certificateFile = fields.optional(
            "certificate_file", "This host's certificate (PEM), if the brokers ask for one.", example: "host.pem")
        keyFile = fields.optional("key_file", "The key (PEM) of `certificate_file`.", example: "host.key")
        mechanism = fields.optional("sasl_mechanism", "How the user is checked.", example: .scramSHA512)
        username = fields.optional("sasl_username", "The user.", example: "martlet")
        password = fields.optional("sasl_password", "The user's password.", example: "${env:KAFKA_PASSWORD}")
        replicationFactor = fields.optional(
            "replication_factor", default: -1, in: -1...100, "Copies of each new topic's records; -1 is the brokers' own default.")
        acknowledge = fields.optional(
            "acknowledge", default: .all,
            "Who must have an event before it counts as kept: all in-sync replicas, or the leader, with which it can be lost.")
        requestTimeoutMilliseconds = fields.optional(
            "request_timeout_ms", default: 10_000, in: 1_000...300_000, "How long a broker may take to answer.")
        deliveryTimeoutMilliseconds = fields.optional(
            "delivery_timeout_ms", default: 30_000, in: 1_000...3_600_000,
            "How long an append is tried before it fails for now; it may have been kept all the same.")
        sessionTimeoutMilliseconds = fields.optional(
            "session_timeout_ms", default: 10_000, in: 1_000...1_800_000,
            "After how long without a sign of life a host's partitions go to others; the brokers have limits, 6 s at least as they come.")
        fetchWaitMilliseconds = fields.optional(
            "fetch_wait_ms", default: 100, in: 1...30_000,
            "How long a broker may hold a request for records that are not there yet. A reader that begins elsewhere may wait so long.")
        maxQueuedBytes = fields.optional(
            "max_queued_bytes", default: 64 << 20, in: 1 << 20...1 << 40,
            "Events that wait for the brokers' acknowledgement; beyond it appends fail for now.")
        maxFetchBytes = fields.optional(
            "max_fetch_bytes", default: 4 << 20, in: 65_536...1 << 30, "What is fetched ahead for each reader of a partition.")
        maxRecordBytes = fields.optional(
            "max_record_bytes", default: 1 << 20, in: 1_024...256 << 20,
            "The largest event: id, key, headers and payload. The brokers' `message.max.bytes` must allow for it.")
        check(&fields)
    }

    private func check(_ fields: inout ConfigFields) {
        if bootstrapServers.isEmpty { fields.problem(at: "bootstrap_servers", "must name at least one broker, as `host:port`") }
        if !securityProtocol.usesTLS {
            for (key, value) in [("ca_file", certificateAuthorityFile), ("certificate_file", certificateFile), ("key_file", keyFile)]
            where value != nil {
                fields.problem(
                    at: key, with: ["security_protocol"], "has no effect without TLS; set `security_protocol` to ssl or sasl_ssl")
            }
        }
        if (certificateFile == nil) != (keyFile == nil) {
            let key = certificateFile == nil ? "key_file" : "certificate_file"
            fields.problem(at: key, with: ["certificate_file", "key_file"], "`certificate_file` and `key_file` belong together; give both")
        }
        if !securityProtocol.usesSASL {
            let given = [("sasl_mechanism", mechanism != nil), ("sasl_username", username != nil), ("sasl_password", password != nil)]
            for (key, isGiven) in given where isGiven {
                fields.problem(
                    at: key, with: ["security_protocol"], "has no effect; set `security_protocol` to sasl_ssl or sasl_plaintext")
            }
        } else if mechanism == nil || username == nil || password == nil {
            fields.problem(
                at: "security_protocol", with: ["sasl_mechanism", "sasl_username", "sasl_password"],
                "with SASL needs `sasl_mechanism`, `sasl_username` and `sasl_password`")
        }
        if fetchWaitMilliseconds + 1_000 > requestTimeoutMilliseconds, fields.areValid("fetch_wait_ms", "request_timeout_ms") {
            // librdkafka wants a second between the two.
            if fields.isPresent("fetch_wait_ms") || fields.isPresent("request_timeout_ms") {
                fields.problem(
                    at: "fetch_wait_ms", with: ["request_timeout_ms"],
                    "must be at least 1000 ms less than `request_timeout_ms`, \(requestTimeoutMilliseconds)")
            }
        }
    }
}
