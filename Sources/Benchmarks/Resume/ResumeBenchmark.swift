import CLinux
import EmbeddedLog

/// `martlet bench resume`: one user's stream from the start of a long topic that has everybody's messages.
package struct ResumeBenchmark: Benchmark {
    private static let topic = "messages"
    private static let users = 10_000

    private let settings: BenchmarkSettings
    private let records: Int

    package init(_ settings: BenchmarkSettings, records: Int) {
        self.settings = settings
        self.records = records
    }

    package func run() throws -> BenchmarkReport {
        var report = BenchmarkReport("resume")
        let folder = try TemporaryFolder(in: settings.directory)
        settings.progress("appending \(records) records")
        try fill(folder.path + "/data")
        let host = try HostProcess(config: Self.config, in: folder)
        defer { host.stop() }
        // The first such reading finds no index.
        report.add("first, without an index", try resume(host.port, user: 0) * 1_000, "ms")
        settings.progress("waiting for the indexes")
        let segments = Self.count(folder.path + "/data/log/" + Self.topic, ending: ".log")
        let isIndexed = MonotonicClock.wait(atMost: 300) { Self.count(folder.path + "/data/key-index", ending: ".keys") >= segments - 1 }
        guard isIndexed else { throw BenchmarkError("the indexes were not made in 300 s") }
        for run in 1...settings.runs {
            settings.progress("run \(run) of \(settings.runs)")
            report.add("with indexes", try resume(host.port, user: run) * 1_000, "ms", aim: .atMost(250))
        }
        report.note("\(records) records of 100 bytes in one partition, of \(Self.users) users: \(records / Self.users) each")
        report.note("from the request to the user's last event; \(segments) segments, of which the last is never indexed")
        return report
    }

    private func fill(_ directory: String) throws {
        let log = try UnrecoveredLog(LogConfiguration(directory: directory, minFreeBytes: 0)).recover()
        try log.ensureTopic(Self.topic, TopicConfiguration(partitions: 1))
        let text = String(repeating: "m", count: 80)
        let name = "martlet-id"
        let batchRecords = 100
        let pending = Signal()
        for start in stride(from: 0, to: records, by: batchRecords) {
            var builder = RecordBatchBuilder()
            for number in start..<min(start + batchRecords, records) {
                let value = Array(#"{"n":\#(number),"text":"\#(text)"}"#.utf8)
                builder.append(
                    timestamp: 1_700_000_000_000, key: Array(UsersWork.name(number % Self.users).utf8), value: value,
                    headers: [RecordHeader(name: name, value: Array(String(number).utf8))])
            }
            let isLast = start + batchRecords >= records || start % 100_000 == 0
            log.append([PartitionAppend(topic: Self.topic, partition: 0, records: builder.finish())]) { _ in if isLast { pending.raise() } }
            // A bounded number is under way.
            guard !isLast || pending.wait(atMost: 60) else { throw BenchmarkError("the log did not take the records within 60 s") }
        }
        log.close()
    }

    /// Seconds from the request to the user's last event.
    private func resume(_ port: UInt16, user: Int) throws -> Double {
        let work = ResumeWork(expected: records / Self.users, user: user, userCount: Self.users)
        let driver = try LoadDriver(work: work, streams: StreamSet(capacity: 1, marker: #""n":"#))
        let start = MonotonicClock.now
        try driver.openStreams(port: port, count: 1) { _ in "/users/\(UsersWork.name(user))/stream?last_event_id=earliest" }
        try driver.run(.flatOut, seconds: 0, drain: 600)
        guard work.isComplete, work.stray == 0 else {
            throw BenchmarkError("\(work.received) of \(records / Self.users) events came, and \(work.stray) of others")
        }
        return Double(work.lastAt - start) / 1e9
    }

    private static func count(_ folder: String, ending: String) -> Int {
        guard let stream = opendir(folder) else { return 0 }
        defer { closedir(stream) }
        var count = 0
        while let entry = readdir(stream) {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
            if name.hasSuffix(ending) { count += 1 } else if name != ".", name != ".." { count += Self.count(folder + "/" + name, ending: ending) }
        }
        return count
    }

    private static let config = """
        {
          "host": { "data_directory": "data" },
          "log": { "type": "embedded" },
          "pubsub": { "bus": { "type": "memory" } },
          "topics": { "\(topic)": { "partitions": 1, "retention_hours": 0 } },
          "groups": {
            "push": { "topics": ["\(topic)"], "start": "latest", "sink": { "type": "pubsub", "pubsub": "bus", "channel": "messages" } }
          },
          "channels": {
            "stream": {
              "type": "sse", "path": "/users/{user}/stream", "subscribe": { "pubsub": "bus", "channel": "messages" },
              "match": { "message": "${@key}", "connection": "${@path.user}" }, "replay": { "group": "push" }
            }
          }
        }
        """
}

/// Counts one user's events.
private final class ResumeWork: Workload {
    private let expected: Int
    private let user: Int
    private let userCount: Int
    private(set) var received = 0
    private(set) var stray = 0
    private(set) var lastAt: Int64 = 0

    init(expected: Int, user: Int, userCount: Int) {
        self.expected = expected
        self.user = user
        self.userCount = userCount
    }

    func hasRequest(_ number: Int) -> Bool { false }
    func request(_ number: Int) -> UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: nil, count: 0) }
    func answered(_ number: Int, status: Int, sentAt: Int64, now: Int64) {}

    func received(_ number: Int, stream: Int, now: Int64) {
        // Each event once, in order.
        guard number == user + received * userCount else {
            stray += 1
            return
        }
        received += 1
        lastAt = now
    }

    var isComplete: Bool { received >= expected }
}
