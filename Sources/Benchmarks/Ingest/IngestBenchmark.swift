import CLinux
import EmbeddedLog

/// `martlet bench ingest`: durable publishes over HTTP.
package struct IngestBenchmark: Benchmark {
    private let settings: BenchmarkSettings
    private let connections: Int
    private let batches: [Int]

    package init(_ settings: BenchmarkSettings, connections: Int, batches: [Int]) {
        self.settings = settings
        self.connections = connections
        self.batches = batches
    }

    /// Few connections carry batches: each has a whole batch under way.
    private static let batchConnections = 8

    package func run() throws -> BenchmarkReport {
        var report = BenchmarkReport("ingest")
        for run in 1...settings.runs {
            settings.progress("run \(run) of \(settings.runs)")
            let idle = batches.contains(1) ? try idleRate(&report) : 0
            for batch in batches { try publish(batch, idle, &report) }
        }
        report.note("\(connections) keep-alive connections for single events, \(Self.batchConnections) for NDJSON batches; events of 200 bytes")
        report.note("answered by the same server doing nothing: same path, body and answer, and no event")
        return report
    }

    private func idleRate(_ report: inout BenchmarkReport) throws -> Double {
        let folder = try TemporaryFolder(in: settings.directory)
        let server = try ChildProcess(ChildProcess.ownProgram, ["bench", "serve"], output: folder.path + "/serve.log")
        let port = try server.port(atMost: 20)
        let (work, rate) = try load(port, IngestConfig.event, "application/json", connections)
        report.add("answers of the same server doing nothing", rate, "requests/s")
        guard work.refused == 0 else { throw BenchmarkError("the idle server answered \(work.firstRefusal)") }
        return rate
    }

    private func publish(_ batch: Int, _ idle: Double, _ report: inout BenchmarkReport) throws {
        let folder = try TemporaryFolder(in: settings.directory)
        let host = try HostProcess(config: IngestConfig.text, in: folder)
        let isSingle = batch == 1
        let (work, requests) = try load(
            host.port, isSingle ? IngestConfig.event : IngestConfig.lines(batch),
            isSingle ? "application/json" : "application/x-ndjson", isSingle ? connections : Self.batchConnections)
        let rate = requests * Double(batch)
        let latencies = work.latencies.sorted()
        let label = isSingle ? "single events" : "batches of \(batch)"
        report.add("durable, \(label)", rate, "events/s", aim: batch == 1000 ? .atLeast(300_000) : nil)
        if isSingle, idle > 0 { report.add("durable as a share of doing nothing", rate / idle * 100, "%", aim: .atLeast(50)) }
        report.add("request to answer, \(label), p50", latencies.percentile(0.5), "ms")
        report.add("request to answer, \(label), p99", latencies.percentile(0.99), "ms")
        report.add("refused, \(label)", Double(work.refused), "requests")
        if work.refused > 0 { report.note("some requests were refused with \(work.firstRefusal)") }
        // Killed, not stopped: what was acknowledged must be there all the same.
        host.process.stop(signal: SIGKILL)
        let kept = try Self.events(in: host.dataDirectory)
        let accepted = work.accepted * batch
        report.addPromise("acknowledged and not kept after kill -9, \(label)", max(0, accepted - kept))
        report.addPromise("kept twice, \(label)", max(0, kept - accepted))
    }

    /// The answers a second of a flat-out run, after a warm-up that counts as well among the accepted.
    private func load(_ port: UInt16, _ body: [UInt8], _ type: String, _ connections: Int) throws -> (ConstantWork, Double) {
        let work = ConstantWork(ConstantWork.post("/events", type: type, body: body))
        let driver = try LoadDriver(work: work, streams: StreamSet(capacity: 0, marker: "-"))
        try driver.connect(port: port, count: connections)
        try driver.run(.flatOut, seconds: min(1, settings.seconds / 5), drain: 30)
        work.forgetLatencies()
        let before = work.accepted
        let start = MonotonicClock.now
        try driver.run(.flatOut, seconds: settings.seconds, drain: 30)
        let seconds = Double(MonotonicClock.now - start) / 1e9
        return (work, Double(work.accepted - before) / seconds)
    }

    private static func events(in directory: String) throws -> Int {
        let log = try UnrecoveredLog(LogConfiguration(directory: directory, minFreeBytes: 0)).recover()
        defer { log.close() }
        var count = 0
        for partition in 0..<Int32(IngestConfig.partitions) {
            count += Int(try log.endOffset(IngestConfig.topic, partition) - log.startOffset(IngestConfig.topic, partition))
        }
        return count
    }
}
