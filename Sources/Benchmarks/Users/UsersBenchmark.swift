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
            var own: [Keeping: Result] = [:]
            for keeping in Keeping.allCases {
                let result = try measureHost(keeping)
                own[keeping] = result
                add(result, of: keeping.rawValue, to: &report)
                report.addPromise("\(keeping.rawValue): lost", result.lost)
                report.addPromise("\(keeping.rawValue): duplicate", result.duplicate)
            }
            guard withNginx else { continue }
            guard let other = try measureNginx() else {
                report.note("nginx with nchan is not installed: no comparison")
                continue
            }
            add(other, of: "nginx + nchan", to: &report)
            for keeping in Keeping.allCases {
                guard let result = own[keeping] else { continue }
                let name = "\(keeping.rawValue), as a multiple of nginx + nchan"
                report.add("\(name): flat out", result.perSecond / other.perSecond, "x", aim: keeping == .memory ? .atLeast(1) : nil)
                let quotient = result.atRate.percentile(0.99) / other.atRate.percentile(0.99)
                report.add("\(name): p99", quotient, "x", aim: keeping == .memory ? .atMost(1) : nil)
            }
            if other.lost + other.duplicate > 0 { report.note("nginx + nchan: \(other.lost) lost, \(other.duplicate) duplicate") }
        }
        report.note("\(users) users with a stream each; a post of 120 bytes for one of them, 64 connections that post")
        report.note("before it is sent on, a message is synced to disk (fsync), with the operating system (written), or in memory only")
        report.note("nginx + nchan: in memory only")
        return report
    }

    private func add(_ result: Result, of name: String, to report: inout BenchmarkReport) {
        report.add("\(name): flat out", result.perSecond, "deliveries/s")
        report.add("\(name): post to stream at \(rate)/s, p50", result.atRate.percentile(0.5), "ms")
        report.add("\(name): post to stream at \(rate)/s, p99", result.atRate.percentile(0.99), "ms")
    }

    private func measureHost(_ keeping: Keeping) throws -> Result {
        let folder = try TemporaryFolder(in: settings.directory)
        let host = try HostProcess(config: UsersConfig.text(users: users, keeping), in: folder)
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
