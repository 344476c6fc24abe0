import CLinux

/// `martlet bench fanout`: one message to many event streams.
package struct FanoutBenchmark: Benchmark {
    private let settings: BenchmarkSettings
    private let connections: Int
    private let messages: Int
    private let withOthers: Bool

    package init(_ settings: BenchmarkSettings, connections: Int, messages: Int, withOthers: Bool) {
        self.settings = settings
        self.connections = connections
        self.messages = messages
        self.withOthers = withOthers
    }

    /// What one server did.
    private struct Result {
        var perSecond = 0.0
        var kibibytesPerConnection = 0.0
        var message = Latencies.Sorted.none
        var lost = 0
        var duplicate = 0
    }

    package func run() throws -> BenchmarkReport {
        var report = BenchmarkReport("fanout")
        for run in 1...settings.runs {
            settings.progress("run \(run) of \(settings.runs)")
            var own: [(keeping: Keeping, result: Result)] = []
            for keeping in [Keeping.fsync, .memory] {
                let result = try measureHost(keeping)
                own.append((keeping, result))
                add(result, of: keeping.rawValue, to: &report)
                report.add("\(keeping.rawValue): memory a connection", result.kibibytesPerConnection, "KiB", aim: .atMost(6))
                report.addPromise("\(keeping.rawValue): lost", result.lost)
                report.addPromise("\(keeping.rawValue): duplicate", result.duplicate)
            }
            guard withOthers else { continue }
            let bare = try measureBare()
            report.add("bare send(2): deliveries", bare.perSecond, "/s")
            for (keeping, result) in own {
                report.add("\(keeping.rawValue): deliveries as a multiple of bare send(2)", result.perSecond / bare.perSecond, "x")
            }
            if bare.lost + bare.duplicate > 0 { report.note("bare send(2): \(bare.lost) lost, \(bare.duplicate) duplicate") }
            guard let other = try measureNginx() else {
                report.note("nginx with nchan is not installed: no comparison")
                continue
            }
            add(other, of: "nginx + nchan", to: &report)
            report.add("nginx + nchan: memory a connection", other.kibibytesPerConnection, "KiB")
            for (keeping, result) in own {
                report.add(
                    "\(keeping.rawValue): deliveries as a multiple of nginx + nchan", result.perSecond / other.perSecond, "x",
                    aim: keeping == .memory ? .atLeast(1.5) : nil)
            }
            if other.lost + other.duplicate > 0 {
                report.note("nginx + nchan: \(other.lost) lost, \(other.duplicate) duplicate")
            }
        }
        report.note("\(connections) streams, \(messages) messages of 120 bytes, each posted when all streams have the one before")
        report.note("before it is sent on, a message is synced to disk (fsync) or in memory only, as with nginx + nchan")
        report.note("bare send(2): a thread for each core that does nothing else; nothing kept, checked or queued")
        report.note("two threads read the streams, half of them each; one posts as well")
        report.note("memory: growth of the server's own (Pss) from no stream to all, idle, divided by their number")
        return report
    }

    private func add(_ result: Result, of name: String, to report: inout BenchmarkReport) {
        report.add("\(name): deliveries", result.perSecond, "/s")
        report.add("\(name): post to last stream, p50", result.message.percentile(0.5), "ms")
        report.add("\(name): post to last stream, max", result.message.percentile(1), "ms")
    }

    private func measureHost(_ keeping: Keeping) throws -> Result {
        let folder = try TemporaryFolder(in: settings.directory)
        let host = try HostProcess(config: FanoutConfig.text(connections: connections, keeping), in: folder)
        defer { host.stop() }
        return try measure(host.process, host.port, FanoutConfig.publishPath, FanoutConfig.streamPath)
    }

    private func measureBare() throws -> Result {
        let folder = try TemporaryFolder(in: settings.directory)
        let server = try ChildProcess(ChildProcess.ownProgram, ["bench", "send"], output: folder.path + "/send.log")
        return try measure(server, try server.port(atMost: 20), BareSender.publishPath, BareSender.streamPath)
    }

    private func measureNginx() throws -> Result? {
        let folder = try TemporaryFolder(in: settings.directory)
        guard let nginx = try NginxProcess(connections: connections, in: folder) else { return nil }
        return try measure(nginx.process, nginx.port, NginxProcess.publishPath, NginxProcess.streamPath)
    }

    private func measure(_ process: ChildProcess, _ port: UInt16, _ publish: String, _ stream: String) throws -> Result {
        let share = connections / 2
        let work = FanoutWork(streams: share, path: publish)
        let driver = try LoadDriver(work: work, streams: StreamSet(capacity: share, marker: FanoutReader.marker))
        try driver.connect(port: port, count: 1)
        let reader = try FanoutReader(streams: connections - share)
        let before = process.memoryBytes
        try driver.openStreams(port: port, count: share) { _ in stream }
        try reader.open(port: port, path: stream)
        try driver.linger(seconds: 0.3)
        let perConnection = Double(process.memoryBytes - before) / 1024 / Double(connections)
        var times = Latencies(capacity: messages)
        var total: Int64 = 0
        // The first messages warm up: buffers are made, branches learnt.
        let warmUp = min(5, messages / 5)
        for number in 0..<messages {
            work.begin(number)
            reader.begin(number)
            let start = MonotonicClock.now
            try driver.run(.flatOut, seconds: 5, drain: 30)
            let end = max(work.lastDeliveryAt, try reader.end())
            work.end()
            guard work.refused == 0 else { throw BenchmarkError("message \(number) was refused with \(work.firstRefusal)") }
            guard number >= warmUp else { continue }
            times.add(end - start)
            total += end - start
        }
        try driver.linger(seconds: 0.2)
        let rest = try reader.finish()
        return Result(
            perSecond: Double(connections * (messages - warmUp)) / (Double(total) / 1e9), kibibytesPerConnection: perConnection,
            message: times.sorted(), lost: work.lost + rest.lost, duplicate: work.duplicate + rest.duplicate)
    }
}
