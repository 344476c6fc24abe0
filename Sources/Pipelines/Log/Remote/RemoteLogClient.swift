import EmbeddedLog
import Martlet

/// The requests of ``LogWire``, one method each. Nothing is tried again here.
struct RemoteLogClient: Sendable {
    private let http: HTTPClient
    private let config: RemoteLogConfig

    init(config: RemoteLogConfig, certificateFile: String?) {
        self.config = config
        var settings = HTTPClientSettings()
        settings.connectTimeout = config.connectTimeout
        settings.certificateFile = certificateFile
        http = HTTPClient(settings: settings)
    }

    func start() throws(ModuleError) { try http.start() }
    func close() async { await http.close() }

    // MARK: Topics

    func topics() async throws -> [TopicPositions] {
        let (json, url) = try await json("GET", LogWire.root + "/topics")
        guard case .array(let items)? = json["topics"]?.kind else { throw RemoteLogFailure.malformed(url, "no list of topics") }
        let topics = items.compactMap { LogWire.positions($0) }
        guard topics.count == items.count else { throw RemoteLogFailure.malformed(url, "a topic without offsets") }
        return topics
    }

    func topic(_ name: TopicName) async throws -> TopicPositions {
        let (json, url) = try await json("GET", LogWire.topic(name))
        guard let topic = LogWire.positions(json) else { throw RemoteLogFailure.malformed(url, "no topic with offsets") }
        return topic
    }

    // MARK: Records

    /// - Parameter count: how many records the body has.
    func append(_ body: Bytes, count: Int, to topic: TopicName) async throws -> [RecordPlace] {
        let path = LogWire.topic(topic) + "/records"
        let response = try await ask("POST", path, body: body, type: "application/octet-stream")
        guard let places = LogWire.places(response.body, count: count) else {
            throw RemoteLogFailure.malformed(config.url + path, "\(response.body.count) bytes of places for \(count) records")
        }
        return places
    }

    func read(
        _ topic: TopicName, _ partition: PartitionID, from offset: Offset, maxBytes: Int
    ) async throws -> (LogChunk, incarnation: String?) {
        let path = LogWire.partition(topic, partition) + "/records?offset=\(offset)&max_bytes=\(max(1, maxBytes))"
        let response = try await send("GET", path, limit: LogWire.answerLimit)
        if let outOfRange = RemoteLogFailure.outOfRange(response, offset) { throw outOfRange }
        guard response.isSuccess else { throw RemoteLogFailure.error(response, asking: config.url + path) }
        do throws(LogError) {
            let chunk = try response.body.withUnsafeBytes { bytes throws(LogError) in
                try LogChunk(received: bytes, from: offset, origin: config.url + path)
            }
            try chunk.inflate(upTo: 4 * max(1, maxBytes))
            return (chunk, response.header(LogWire.incarnationHeader))
        } catch {
            throw RemoteLogFailure.malformed(config.url + path, error.description)
        }
    }

    func read(
        _ topic: TopicName, _ partition: PartitionID, keys: [Bytes], from offset: Offset, to end: Offset, limit: Int
    ) async throws -> KeyedRecords {
        let path = LogWire.partition(topic, partition)
            + "/keyed?keys=\(LogWire.text(of: keys))&offset=\(offset)&end=\(end)&limit=\(min(limit, LogWire.keyedRecordsMax))"
        let response = try await send("GET", path, limit: LogWire.answerLimit)
        if let outOfRange = RemoteLogFailure.outOfRange(response, offset) { throw outOfRange }
        guard response.isSuccess else { throw RemoteLogFailure.error(response, asking: config.url + path) }
        guard let next = response.header(LogWire.nextHeader).flatMap({ Offset($0) }), next >= offset else {
            throw RemoteLogFailure.malformed(config.url + path, "no \(LogWire.nextHeader)")
        }
        if response.status == 204 { return KeyedRecords(records: [], next: next) }
        let decoded = KeyedRecordsBody.decode(response.body, topic: topic, partition: partition, origin: config.url + path)
        guard let records = decoded else {
            throw RemoteLogFailure.malformed(config.url + path, "\(response.body.count) bytes are no records of some keys")
        }
        return KeyedRecords(records: records, next: next)
    }

    /// Whether there is a record at the offset or after it; false after a while without one.
    func wait(_ topic: TopicName, _ partition: PartitionID, at offset: Offset) async throws -> Bool {
        let path = LogWire.partition(topic, partition) + "/wait?offset=\(offset)&wait_ms=\(LogWire.maxWaitMilliseconds)"
        return try await ask("GET", path, extra: .milliseconds(LogWire.maxWaitMilliseconds)).status == 200
    }

    func offset(_ topic: TopicName, _ partition: PartitionID, at timestamp: Int64) async throws -> Offset {
        let (json, url) = try await json("GET", LogWire.partition(topic, partition) + "/offset?timestamp=\(timestamp)")
        guard let offset = json["offset"]?.whole else { throw RemoteLogFailure.malformed(url, "no offset") }
        return offset
    }

    // MARK: Groups

    func groups() async throws -> [GroupName] {
        let (json, url) = try await json("GET", LogWire.root + "/groups")
        guard case .array(let items)? = json["groups"]?.kind else { throw RemoteLogFailure.malformed(url, "no list of groups") }
        return items.compactMap { $0.plainText.map { GroupName($0) } }
    }

    func committedOffset(_ group: GroupName, _ topic: TopicName, _ partition: PartitionID) async throws -> Offset? {
        let (json, url) = try await json("GET", LogWire.group(group, topic, partition))
        guard let offset = json["offset"] else { throw RemoteLogFailure.malformed(url, "no offset") }
        return offset.whole
    }

    func commit(_ group: GroupName, _ topic: TopicName, _ partition: PartitionID, _ offset: Offset) async throws {
        let body = JSONWriter.text(.object([("offset", .integer(offset))]))
        _ = try await ask("PUT", LogWire.group(group, topic, partition), body: Bytes(body), type: "application/json")
    }

    // MARK: Asking

    private func json(_ method: String, _ path: String) async throws -> (JSONNode, url: String) {
        let response = try await ask(method, path)
        guard let json = JSONReader.read(response.body.string, problems: ConfigProblems(file: "answer")) else {
            throw RemoteLogFailure.malformed(config.url + path, "no JSON")
        }
        return (json, config.url + path)
    }

    /// The answer, if it is a success.
    private func ask(
        _ method: String, _ path: String, body: Bytes? = nil, type: String? = nil, extra: Duration = .zero
    ) async throws -> ClientResponse {
        let response = try await send(method, path, body: body, type: type, extra: extra)
        guard response.isSuccess else { throw RemoteLogFailure.error(response, asking: config.url + path) }
        return response
    }

    private func send(
        _ method: String, _ path: String, body: Bytes? = nil, type: String? = nil, extra: Duration = .zero, limit: Int = 16 << 20
    ) async throws -> ClientResponse {
        var headers: [(name: String, value: String)] = []
        if let token = config.token { headers.append(("Authorization", "Bearer \(token)")) }
        if let type { headers.append(("Content-Type", type)) }
        let request = ClientRequest(
            method, config.url + path, headers: headers, body: body, timeout: config.requestTimeout + extra, bodyLimit: limit)
        do {
            return try await http.send(request)
        } catch let error as ModuleError {
            throw RemoteLogFailure.away(error)
        }
    }
}
