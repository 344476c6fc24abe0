import Martlet
import Pipelines

/// One request of another host to this host's log.
struct LogRequest: Sendable {
    let exchange: any HTTPExchange
    let log: EmbeddedEventLog
    let schemas: TopicSchemas

    // MARK: Topics

    func topics() async throws -> HTTPResponse {
        var topics: [JSONNode] = []
        for topic in log.topics() { topics.append(LogWire.json(try await log.positions(of: topic.name))) }
        return Self.json(.object([("topics", .array(topics))]))
    }

    func topic() async throws -> HTTPResponse {
        Self.json(LogWire.json(try await log.positions(of: try topicName())))
    }

    // MARK: Records

    func append() async throws -> HTTPResponse {
        let topic = try topicName()
        let body = try LogAppendBody(decoding: exchange.body)
        // An outbox's rows were checked where they were saved: one that is refused here would hold up all behind it.
        if body.markProducerID < 0, schemas.hasSchema(of: topic) {
            for record in try body.records(of: topic) { try schemas.check(record.event, for: topic) }
        }
        let places = try await log.append(body, to: topic)
        return HTTPResponse(status: 200, headers: [("Content-Type", "application/octet-stream")], body: LogWire.encode(places))
    }

    func read() async throws -> HTTPResponse {
        let topic = try topicName()
        let maxBytes = min(try number("max_bytes", default: Int64(LogWire.maxReadBytes)), Int64(LogWire.maxReadBytes))
        let (bytes, available) = try await log.readBatches(
            topic: topic, partition: try partition(), from: try number("offset"), maxBytes: Int(maxBytes))
        return HTTPResponse(
            status: 200,
            headers: [
                ("Content-Type", "application/octet-stream"), (LogWire.startHeader, String(available.lowerBound)),
                (LogWire.endHeader, String(available.upperBound)),
                (LogWire.incarnationHeader, log.topic(topic)?.incarnation ?? ""),
            ],
            body: bytes)
    }

    func readKeys() async throws -> HTTPResponse {
        guard let keys = LogWire.keys(exchange.queryParameter("keys") ?? "") else {
            throw ModuleError.permanent("log.bad_request", "`keys` are at most \(LogWire.keysMax) in base64url, with commas between them")
        }
        let limit = min(try number("limit", default: Int64(LogWire.keyedRecordsMax)), Int64(LogWire.keyedRecordsMax))
        let found = try await log.read(
            topic: try topicName(), partition: try partition(), keys: keys, from: try number("offset"), to: try number("end"),
            limit: Int(max(1, limit)))
        let body = found.records.isEmpty ? nil : KeyedRecordsBody.encode(found.records)
        return HTTPResponse(
            status: body == nil ? 204 : 200,
            headers: [("Content-Type", "application/octet-stream"), (LogWire.nextHeader, String(found.next))], body: body ?? .empty)
    }

    func wait() async throws -> HTTPResponse {
        let topic = try topicName()
        let partition = try partition()
        let offset = try number("offset")
        let wait = min(try number("wait_ms", default: 0), Int64(LogWire.maxWaitMilliseconds))
        let hasRecord = try await withThrowingTaskGroup(of: Bool.self) { tasks in
            tasks.addTask {
                try await log.waitForRecord(topic: topic, partition: partition, at: offset)
                return true
            }
            tasks.addTask {
                try await Task.sleep(for: .milliseconds(max(0, wait)))
                return false
            }
            defer { tasks.cancelAll() }
            return try await tasks.next() ?? false
        }
        return HTTPResponse(status: hasRecord ? 200 : 204)
    }

    func offsetAtTime() async throws -> HTTPResponse {
        let offset = try await log.offset(topic: try topicName(), partition: try partition(), at: try number("timestamp"))
        return Self.json(.object([("offset", .integer(offset))]))
    }

    // MARK: Groups

    func groups() async throws -> HTTPResponse {
        Self.json(.object([("groups", .array(try await log.committedGroups().map { .string($0.text) }))]))
    }

    func committedOffset() async throws -> HTTPResponse {
        let offset = try await log.committedOffset(group: groupName(), topic: try topicName(), partition: try partition())
        return Self.json(.object([("offset", offset.map { .integer($0) } ?? .null)]))
    }

    func commit() async throws -> HTTPResponse {
        let json = JSONReader.read(exchange.body.string, problems: ConfigProblems(file: "body"))
        guard case .number(let number)? = json?["offset"]?.kind, let offset = number.int64, offset >= 0 else {
            throw ModuleError.permanent("log.bad_request", "the body must be {\"offset\": n} with n at least 0")
        }
        try await log.commit(group: groupName(), topic: try topicName(), partition: try partition(), offset: offset)
        return HTTPResponse(status: 204)
    }

    // MARK: Parts of the request

    private func topicName() throws(ModuleError) -> TopicName {
        let name = TopicName(exchange.pathParameter("topic") ?? "")
        guard log.topic(name) != nil, !name.text.hasPrefix("__") else {
            throw .blocked(
                "log.unknown_topic", "the log has no topic \(name); add it to `topics` of the config of the host that has the log")
        }
        return name
    }

    private func groupName() -> GroupName { GroupName(exchange.pathParameter("group") ?? "") }

    private func partition() throws(ModuleError) -> PartitionID {
        let text = exchange.pathParameter("partition") ?? ""
        guard let partition = PartitionID(text), partition >= 0 else {
            throw .permanent("log.bad_request", "a partition is a number from 0, found \(JSONText.quoted(text))")
        }
        return partition
    }

    private func number(_ name: String, default fallback: Int64? = nil) throws(ModuleError) -> Int64 {
        guard let text = exchange.queryParameter(name) else {
            if let fallback { return fallback }
            throw .permanent("log.bad_request", "the query needs `\(name)`")
        }
        guard let number = Int64(text), number >= 0 else {
            throw .permanent("log.bad_request", "`\(name)` must be a number from 0, found \(JSONText.quoted(text))")
        }
        return number
    }

    // MARK: Answers

    private static func json(_ node: JSONNode) -> HTTPResponse {
        HTTPResponse(status: 200, headers: [("Content-Type", "application/json")], body: Bytes(JSONWriter.text(node)))
    }

    /// The error with what the other side needs to make it again.
    static func problem(_ error: ModuleError) -> HTTPResponse {
        let status =
            switch error.kind {
            case .permanent: 422
            case .blocked: error.code == "log.unknown_topic" ? 404 : 409
            case .transient: 503
            }
        let title =
            switch error.kind {
            case .permanent: "The log refuses this"
            case .blocked: "The log cannot do this as it is configured"
            case .transient: "The log cannot do this now"
            }
        let retry = error.kind == .transient ? [("Retry-After", String(max(1, error.retryAfter?.components.seconds ?? 1)))] : []
        return ProblemDetails(
            status: status, title: title, detail: error.message, extensions: [("code", error.code), ("kind", error.kind.rawValue)]
        ).response(headers: retry)
    }

    static func problem(_ error: OffsetOutOfRange) -> HTTPResponse {
        ProblemDetails(
            status: 416, title: "The partition does not have this offset",
            detail: "it has \(error.available.lowerBound) up to, not including, \(error.available.upperBound); asked for \(error.offset)",
            extensions: [("code", "log.offset_out_of_range")]
        ).response(headers: [
            (LogWire.startHeader, String(error.available.lowerBound)), (LogWire.endHeader, String(error.available.upperBound)),
        ])
    }
}
