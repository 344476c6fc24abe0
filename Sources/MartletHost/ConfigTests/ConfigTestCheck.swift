import Martlet
import MartletTesting
import Pipelines

/// Compares what has come of a test with what it expects.
struct ConfigTestCheck {
    let expect: ConfigTestExpectation
    let host: Host
    let recorder: ConfigTestRecorder
    let http: RecordingHTTP

    /// Looks again until everything is as expected, or the time is over.
    func failures(within limit: Duration) async throws -> [String] {
        let deadline = ContinuousClock.now + limit
        while true {
            let failures = try await failuresNow()
            if failures.isEmpty || .now > deadline { return failures }
            try await Task.sleep(for: .milliseconds(5))
        }
    }

    private func failuresNow() async throws -> [String] {
        var failures: [String] = []
        for topic in expect.events {
            failures += compare(topic.value, try await events(of: TopicName(topic.key)), "topic \(topic.key): event")
        }
        for rows in expect.rows { failures += try await compare(rows) }
        for sink in expect.sinks { failures += compare(sink.value, recorder.sink(sink.key), "sink of \(sink.key): record") }
        for channel in expect.channels {
            failures += compare(channel.value, recorder.channel(channel.key), "channel \(channel.key): message")
        }
        for bus in expect.pubSub { failures += compare(bus.value, recorder.pubSub(bus.key), "bus \(bus.key): message") }
        let streams = recorder.streams
        for stream in expect.streams {
            guard let opened = streams[stream.key] else {
                failures.append("stream \(stream.key): no step opens it")
                continue
            }
            failures += compare(stream.value, opened.events, "stream \(stream.key): event", isOrdered: true)
        }
        if let requests = expect.requests { failures += compare(requests, http.requests.map(\.testJSON), "outside: request") }
        return failures + (try await deadLetters())
    }

    private func compare(_ expected: [JSONNode], _ found: [JSONNode], _ what: String, isOrdered: Bool = false) -> [String] {
        ListComparison(expected: expected, found: found, isExact: expect.isExact, isOrdered: isOrdered).failures(what)
    }

    /// Also of topics for which none is expected.
    private func deadLetters() async throws -> [String] {
        var failures: [String] = []
        for topic in host.graph.config.topics {
            let found = try await events(of: TopicName(topic.key).deadLetters).map(Self.deadLetter)
            failures += compare(expect.deadLetters[topic.key] ?? [], found, "dead letters of \(topic.key): dead letter")
        }
        return failures
    }

    /// The reasons stand beside the event instead of in its headers.
    private static func deadLetter(_ event: JSONNode) -> JSONNode {
        let prefix = "dead-letter-"
        guard case .object(var object) = event.kind, case .object(let headers)? = object["headers"]?.kind else { return event }
        let reasons = headers.members.filter { $0.key.hasPrefix(prefix) }
        object["headers"] = JSONNode(.object(JSONObject(members: headers.members.filter { !$0.key.hasPrefix(prefix) })))
        for reason in reasons { object[String(reason.key.dropFirst(prefix.count))] = reason.value }
        return JSONNode(.object(object))
    }

    /// All records of a topic, in the order of their times.
    private func events(of topic: TopicName) async throws -> [JSONNode] {
        guard let info = host.log.topic(topic) else { return [] }
        var records: [Record] = []
        for partition in 0..<PartitionID(info.partitions) {
            var next: Offset = 0
            while true {
                let page = try await host.log.read(topic: topic, partition: partition, from: next, maxBytes: 1 << 20)
                guard let last = page.last else { break }
                records += page
                next = last.offset + 1
            }
        }
        return records.enumerated().sorted { ($0.element.event.timestamp, $0.offset) < ($1.element.event.timestamp, $1.offset) }
            .map(\.element.testJSON)
    }

    private func compare(_ rows: ConfigTestExpectation.Rows) async throws -> [String] {
        let name = rows.database.plain
        let what = "rows of \(rows.table ?? "the query") in \(name): row"
        guard let database = host.graph.databases.first(where: { $0.name == name })?.part.database else {
            return ["\(what)s are expected, and the config has no database `\(name)`"]
        }
        do {
            let sql = rows.sql ?? "SELECT * FROM \"\(rows.table ?? "")\""
            let result = try await database.query(try database.prepare(sql), [], limit: 100_000)
            return compare(rows.rows, result.rows.map { Self.json($0, result.columns) }, what)
        } catch let problem as SQLProblem {
            return ["\(what)s cannot be read: \(problem.message)"]
        } catch let error as ModuleError {
            return ["\(what)s cannot be read: \(error)"]
        }
    }

    private static func json(_ row: [DataValue], _ columns: [String]) -> JSONNode {
        .object(zip(columns, row).map { column, value in
            var text: [UInt8] = []
            JSONText.append(value, to: &text)
            return (column, JSONReader.read(text, problems: ConfigProblems(file: "")) ?? .null)
        })
    }
}

extension OutgoingRequest {
    /// The request as a config test sees it: header names in lower case, a JSON body as `json` too.
    fileprivate var testJSON: JSONNode {
        var members: [(String, JSONNode)] = [
            ("method", .string(method)), ("url", .string(url)), ("headers", .object(headers.map { ($0.name.lowercased(), .string($0.value)) })),
        ]
        if let body {
            members.append(("body", .string(body.string)))
            if let json = JSONReader.read(body.string, problems: ConfigProblems(file: "")) { members.append(("json", json)) }
        }
        return .object(members)
    }
}
