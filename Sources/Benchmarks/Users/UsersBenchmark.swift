import CLinux

/// `martlet bench users`: a stream for each of many users, and messages to users picked at random.
package struct UsersBenchmark: Benchmark {
    private let settings: BenchmarkSettings
    private let users: Int
    private let rate: Int
    private let withNginx: Bool

    package init(_ settings: BenchmarkSettings, users: Int, rate: Int, withNginx: Bool) {
        self.settings = settings
        self.users = users
        self.rate = rate
        self.withNginx = withNginx
    }

    /// What one server did.
    private struct Result {
        var perSecond = 0.0
        var atRate = Latencies.Sorted.none
        var lost = 0
        var duplicate = 0
    }

    package func run() throws -> BenchmarkReport {
        var report = BenchmarkReport("users")
        for run in 1...settings.runs {
            settings.progress("run \(run) of \(settings.runs)")
            var own: [String: Result] = [:]
            for acknowledge in ["fsync", "written"] {
                let result = try measureHost(acknowledge)
                own[acknowledge] = result
                report.add("\(acknowledge): flat out", result.perSecond, "deliveries/s")
                report.add("\(acknowledge): post to stream at \(rate)/s, p50", result.atRate.percentile(0.5), "ms")
                report.add("\(acknowledge): post to stream at \(rate)/s, p99", result.atRate.percentile(0.99), "ms")
                report.addPromise("\(acknowledge): lost", result.lost)
                report.addPromise("\(acknowledge): duplicate", result.duplicate)
            }
            guard withNginx else { continue }
            guard let other = try measureNginx() else {
                report.note("nginx with nchan is not installed: no comparison")
                continue
            }
            report.add("nginx + nchan: flat out", other.perSecond, "deliveries/s")
            report.add("nginx + nchan: post to stream at \(rate)/s, p50", other.atRate.percentile(0.5), "ms")
            report.add("nginx + nchan: post to stream at \(rate)/s, p99", other.atRate.percentile(0.99), "ms")
            if let result = own["fsync"] {
                report.add("flat out, durable, as a multiple of nginx + nchan", result.perSecond / other.perSecond, "x", aim: .atLeast(1))
            }
            if other.lost + other.duplicate > 0 { report.note("nginx + nchan: \(other.lost) lost, \(other.duplicate) duplicate") }
        }
        report.note("\(users) users with a stream each; a post of 120 bytes for one of them, 64 connections that post")
        report.note("a host's message is durable (fsync), or with the operating system (written), before it is sent on; nchan keeps it in memory")
        return report
    }

    private func measureHost(_ acknowledge: String) throws -> Result {
        let folder = try TemporaryFolder(in: settings.directory)
        let host = try HostProcess(config: UsersConfig.text(users: users, acknowledge: acknowledge), in: folder)
        defer { host.stop() }
        return try measure(host.port, UsersConfig.publishPath) { UsersConfig.streamPath($0) }
    }

    private func measureNginx() throws -> Result? {
        let folder = try TemporaryFolder(in: settings.directory)
        guard let nginx = try NginxProcess(connections: users + 100, in: folder) else { return nil }
        return try measure(nginx.port, NginxProcess.userPublishPath) { NginxProcess.userStreamPath($0) }
    }

    private func measure(_ port: UInt16, _ publish: String, _ stream: (String) -> String) throws -> Result {
        let work = UsersWork(users: users, path: publish)
        let driver = try LoadDriver(work: work, streams: StreamSet(capacity: users, marker: #""n":"#))
        try driver.connect(port: port, count: 64)
        try driver.openStreams(port: port, count: users) { stream(UsersWork.name($0)) }
        // Warms up.
        try driver.run(.rate(rate), seconds: 0.5, drain: 10)
        work.forgetLatencies()
        try driver.run(.rate(rate), seconds: settings.seconds, drain: 10)
        let atRate = work.latencies.sorted()
        let before = work.delivered
        let start = MonotonicClock.now
        try driver.run(.flatOut, seconds: settings.seconds, drain: 30)
        let perSecond = Double(work.delivered - before) / (Double(work.lastDeliveryAt - start) / 1e9)
        try driver.linger(seconds: 0.2)
        guard work.refused == 0 else { throw BenchmarkError("\(work.refused) posts were refused") }
        return Result(perSecond: perSecond, atRate: atRate, lost: work.lost, duplicate: work.duplicate + work.stray)
    }
}

/// A host with a channel for each user.
enum UsersConfig {
    static let publishPath = "/messages/USER"

    static func streamPath(_ user: String) -> String { "/users/\(user)/stream" }

    static func text(users: Int, acknowledge: String) -> String {
        """
        {
          "host": { "data_directory": "data", "max_connections": \(users + 200) },
          "log": { "type": "embedded", "acknowledge": "\(acknowledge)" },
          "pubsub": { "bus": { "type": "memory" } },
          "topics": { "messages": { "partitions": 4 } },
          "sources": {
            "messages": {
              "type": "http", "method": "POST", "path": "/messages/{user}",
              "publish": { "topic": "messages", "key": "${@path.user}" }
            }
          },
          "groups": {
            "push": { "topics": ["messages"], "sink": { "type": "pubsub", "pubsub": "bus", "channel": "messages" } }
          },
          "channels": {
            "stream": {
              "type": "sse", "path": "/users/{user}/stream", "subscribe": { "pubsub": "bus", "channel": "messages" },
              "match": { "message": "${@key}", "connection": "${@path.user}" }, "replay": { "group": "push" },
              "max_connections": \(users + 200), "max_new_connections_per_second": 1000000, "heartbeat_seconds": 600
            }
          }
        }
        """
    }
}
