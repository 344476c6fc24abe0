/// `martlet bench flow`: POST a like, receive its notification.
///
/// A host of its own for each run, with the shipped flow: SQLite with `synchronous=FULL` or a PostgreSQL as Debian sets it
/// up, and the embedded log acknowledging after its sync.
package struct FlowBenchmark: Benchmark {
    private let settings: BenchmarkSettings
    /// Likes a second; nil: as many as the host takes.
    private let rate: Int?
    private let clients: Int
    private let users: Int
    private let backends: FlowBackends
    /// A server that does the same, on loopback, instead of a host of its own.
    private let port: UInt16?

    package init(
        _ settings: BenchmarkSettings, rate: Int?, clients: Int, users: Int, backends: FlowBackends, port: UInt16?
    ) {
        self.settings = settings
        self.rate = rate
        self.clients = clients
        self.users = users
        self.backends = backends
        self.port = port
    }

    /// Flat out, more likes than this many a second are not sent: memory for each is set aside beforehand.
    private static let flatOutMax = 60_000

    package func run() throws -> BenchmarkReport {
        var report = BenchmarkReport("flow")
        for run in 1...settings.runs {
            settings.progress("run \(run) of \(settings.runs)")
            try measure(&report)
        }
        let pace = rate.map { "\($0) likes a second, whatever the answers" } ?? "flat out"
        let place = port.map { "the server on port \($0)" } ?? backends.description
        report.note("\(pace); \(clients) keep-alive connections post, \(users) users hold a stream each; \(place)")
        report.note("latencies count from when a like was due; the generator runs on the same cores")
        return report
    }

    private func measure(_ report: inout BenchmarkReport) throws {
        if let port { return try load(port, &report) }
        let folder = try TemporaryFolder(in: settings.directory)
        let servers = try FlowServers(backends, in: settings.directory)
        let host = try HostProcess(config: servers.config, in: folder)
        try load(host.port, &report)
        report.add("memory of the host", Double(host.process.residentBytes) / 1_048_576, "MiB")
        host.stop()
    }

    /// The connections are closed on return: a host that stops waits for its clients.
    private func load(_ port: UInt16, _ report: inout BenchmarkReport) throws {
        let warmUp = min(1, settings.seconds / 5)
        let perSecond = rate ?? Self.flatOutMax
        let capacity = Int(Double(perSecond) * (warmUp + settings.seconds)) + clients
        let driver = try LoadDriver(
            work: FlowWork(capacity: capacity, userCount: users), streams: StreamSet(capacity: users, marker: #""post_id":"#))
        try driver.connect(port: port, count: clients)
        try driver.openStreams(port: port, count: users) { "/users/\(LikeTemplate.user($0))/notifications/stream" }
        let schedule = rate.map { LoadDriver<FlowWork>.Schedule.rate($0) } ?? .flatOut
        try driver.run(schedule, seconds: warmUp, drain: 30)
        driver.work.firstMeasured = driver.nextNumber
        let start = MonotonicClock.now
        try driver.run(schedule, seconds: settings.seconds, drain: 60)
        let finished = driver.work.lastNotificationAt
        try driver.linger(seconds: min(0.5, settings.seconds / 5))
        record(driver.work, seconds: Double(max(1, finished - start)) / 1e9, &report)
    }

    private var flatOutAim: BenchmarkReport.Aim? {
        port == nil ? .atLeast(backends.flatOutMin) : nil
    }

    private func record(_ work: FlowWork, seconds: Double, _ report: inout BenchmarkReport) {
        let outcome = work.outcome
        let isFlatOut = rate == nil
        let accepted = Double(work.measuredAccepted)
        report.add("likes answered", accepted / settings.seconds, "likes/s", aim: isFlatOut ? flatOutAim : nil)
        report.add("notified, until the last has come", Double(work.streamLatencies.count) / seconds, "likes/s")
        let answer = work.answerLatencies.sorted()
        let stream = work.streamLatencies.sorted()
        let isAimed = rate == 1_000 && port == nil
        for (name, sorted, aim) in [("request to 201", answer, nil), ("request to SSE", stream, isAimed ? backends.streamLatencyMax : nil)] {
            report.add("\(name), p50", sorted.percentile(0.5), "ms")
            report.add("\(name), p99", sorted.percentile(0.99), "ms", aim: aim.map { .atMost($0) })
            report.add("\(name), max", sorted.percentile(1), "ms")
        }
        report.addPromise("lost", outcome.lost)
        report.addPromise("duplicate", outcome.duplicate)
        report.addPromise("unexpected", outcome.unexpected)
        report.add("refused", Double(outcome.refused), "likes")
    }
}
