import Martlet

/// What the parts of a `kafka` log need to know of its config, checked. The names are librdkafka's (CONFIGURATION.md).
struct KafkaSettings: Sendable {
    /// A record can become a dead letter, whose headers take up to this.
    private static let deadLetterBytes = 16_384
    /// What Kafka's format adds to a record, at most.
    private static let formatBytes = 2_048

    /// The brokers, for messages.
    let servers: String
    let acknowledge: KafkaConfig.Acknowledge
    let replicationFactor: Int
    let requestTimeout: Int
    let deliveryTimeout: Int
    let sessionTimeout: Int
    let maxQueuedBytes: Int
    let maxEventBytes: Int
    private let fetchWait: Int
    private let maxFetchBytes: Int
    /// Holds the password: never to be printed.
    private let connection: [(String, String)]

    /// The largest record, a dead letter's headers included.
    var maxMessageBytes: Int { maxEventBytes + Self.deadLetterBytes + Self.formatBytes }

    /// Nil, with a problem reported, if the config is wrong.
    init?(_ config: KafkaConfig, _ context: ModuleContext) {
        var isGood = true
        func problem(_ text: ConfigText, _ message: String) {
            context.problem(at: text.place, message)
            isGood = false
        }
        for server in config.bootstrapServers where !Self.isAddress(server.plain) {
            problem(server, "must be an address such as kafka-1.example.com:9092")
        }
        if let password = config.password, !password.isSecret {
            problem(password, "is a password in plain text; write it as `${env:NAME}` or `${file:PATH}`")
        }
        guard isGood else { return nil }
        servers = config.bootstrapServers.map(\.plain).joined(separator: ",")
        acknowledge = config.acknowledge
        replicationFactor = config.replicationFactor
        requestTimeout = config.requestTimeoutMilliseconds
        deliveryTimeout = config.deliveryTimeoutMilliseconds
        sessionTimeout = config.sessionTimeoutMilliseconds
        fetchWait = config.fetchWaitMilliseconds
        maxQueuedBytes = config.maxQueuedBytes
        maxFetchBytes = config.maxFetchBytes
        maxEventBytes = config.maxRecordBytes
        connection = Self.connection(config, servers: servers)
    }

    /// `host:port`, of which a host may be an IPv6 address in brackets.
    private static func isAddress(_ text: String) -> Bool {
        guard let colon = text.lastIndex(of: ":"), let port = UInt16(text[text.index(after: colon)...]), port > 0 else { return false }
        let host = text[..<colon]
        return !host.isEmpty && !host.contains { $0 == "," || $0 == "/" || $0.isWhitespace }
    }

    private static func connection(_ config: KafkaConfig, servers: String) -> [(String, String)] {
        var values = [
            ("bootstrap.servers", servers), ("client.id", config.clientID.plain),
            ("security.protocol", config.securityProtocol.rawValue),
            ("socket.timeout.ms", String(config.requestTimeoutMilliseconds)),
            ("socket.connection.setup.timeout.ms", String(config.requestTimeoutMilliseconds)),
            ("socket.keepalive.enable", "true"), ("socket.nagle.disable", "true"),
            ("reconnect.backoff.ms", "50"), ("reconnect.backoff.max.ms", "2000"),
            // A lost connection is told as an error; one that idled is nobody's concern.
            ("log.connection.close", "false"), ("allow.auto.create.topics", "false"),
        ]
        if let file = config.certificateAuthorityFile { values.append(("ssl.ca.location", file.resolved)) }
        if let file = config.certificateFile { values.append(("ssl.certificate.location", file.resolved)) }
        if let file = config.keyFile { values.append(("ssl.key.location", file.resolved)) }
        if let mechanism = config.mechanism { values.append(("sasl.mechanism", mechanism.rawValue)) }
        if let username = config.username { values.append(("sasl.username", username.plain)) }
        if let password = config.password { values.append(("sasl.password", password.plain)) }
        return values
    }

    // MARK: What each client gets

    /// For one that asks and makes topics.
    var admin: [(String, String)] { connection }

    /// For one that appends. Its own bounds lie beyond those that ``KafkaProducer`` holds.
    var producer: [(String, String)] {
        connection + [
            ("enable.idempotence", acknowledge == .all ? "true" : "false"),
            // Without idempotence only one request at a time keeps the order when one is tried again.
            ("max.in.flight.requests.per.connection", acknowledge == .all ? "5" : "1"),
            ("linger.ms", "0.5"),
            // A topic that was refused is looked at again then.
            ("topic.metadata.refresh.interval.ms", "10000"),
            ("message.max.bytes", String(maxMessageBytes)),
            ("queue.buffering.max.messages", "0"),
            ("queue.buffering.max.kbytes", String(min(2_147_483_647, 4 * (maxQueuedBytes / 1_024) + 2 * maxMessageBytes / 1_024 + 1_024))),
        ]
    }

    /// For what is appended to one topic.
    func producer(of topic: TopicSettings.Compression) -> [(String, String)] {
        [
            ("acks", acknowledge == .all ? "-1" : "1"),
            ("request.timeout.ms", String(requestTimeout)), ("message.timeout.ms", String(deliveryTimeout)),
            ("partitioner", "murmur2_random"), ("compression.codec", topic.rawValue),
        ]
    }

    /// For one that reads partitions by offset.
    var reader: [(String, String)] {
        connection + [
            ("enable.auto.commit", "false"), ("enable.partition.eof", "true"), ("check.crcs", "true"),
            ("auto.offset.reset", "error"), ("isolation.level", "read_committed"),
            ("fetch.wait.max.ms", String(fetchWait)), ("fetch.error.backoff.ms", "100"),
            ("queued.max.messages.kbytes", String(max(1, min(2_097_151, maxFetchBytes / 1_024)))),
            ("fetch.message.max.bytes", String(min(1_000_000_000, maxFetchBytes))),
            ("fetch.max.bytes", String(min(1_000_000_000, max(maxFetchBytes, maxMessageBytes)))),
            ("message.max.bytes", String(min(1_000_000_000, maxMessageBytes))),
        ]
    }

    /// For one that is a member of a group, and reads nothing.
    func member(of group: GroupName) -> [(String, String)] {
        connection + [
            // New partitions are given out once a member has seen them.
            ("topic.metadata.refresh.interval.ms", "10000"),
            ("group.id", group.text), ("enable.auto.commit", "false"), ("auto.offset.reset", "error"),
            ("partition.assignment.strategy", "range"), ("session.timeout.ms", String(sessionTimeout)),
            ("heartbeat.interval.ms", String(max(1, min(3_000, sessionTimeout / 3)))),
            // How long the group waits for a host that settles its matters before it gives partitions up. Batches may take as
            // long as they take: the member's thread polls all the time, and that the host lives, its heartbeats tell.
            ("max.poll.interval.ms", String(max(300_000, sessionTimeout))),
        ]
    }
}
