package import EmbeddedLog

/// `martlet bench log`: the embedded log without a host.
package struct LogBenchmark: Benchmark {
    /// What is varied.
    package struct Options: Sendable {
        package var partitions = [1, 16, 256]
        package var producers = 50
        package var batches = [1, 100, 1000]
        package var acknowledge = Acknowledgement.fsync
        /// Size of the log whose recovery is measured; 0 leaves it out.
        package var recoverBytes = 256 << 20
        package var withRedis = true

        package init() {}
    }

    private static let topic = "bench"

    private let settings: BenchmarkSettings
    private let options: Options

    package init(_ settings: BenchmarkSettings, _ options: Options) {
        self.settings = settings
        self.options = options
    }

    package func run() throws -> BenchmarkReport {
        var report = BenchmarkReport("log")
        for run in 1...settings.runs {
            let progress = { (what: String) in settings.progress("run \(run) of \(settings.runs): \(what)") }
            try batches(&report, progress)
            try partitions(&report, progress)
            progress("reading")
            try reading(&report)
            progress("compression")
            try CompressionMeasure(settings).measure(&report)
            progress("tail latency")
            try tail(&report)
            if options.recoverBytes > 0 {
                progress("recovery")
                try RecoveryMeasure(settings, bytes: options.recoverBytes).measure(&report)
            }
        }
        let kept = options.acknowledge == .fsync ? "synced" : "written, not synced,"
        report.note("events of \(LogShape.valueBytes) bytes; an append counts when it is \(kept) and acknowledged")
        report.note("raw: pwrite + fdatasync of blocks of the same bytes; overwritten: in a file whose blocks are there, as a journal's are")
        return report
    }

    /// A new log with one topic, for one measurement.
    private func withLog(_ partitions: Int, _ body: (EmbeddedLog, TemporaryFolder) throws -> Void) throws {
        let folder = try TemporaryFolder(in: settings.directory)
        let log = try UnrecoveredLog(
            LogConfiguration(directory: folder.path, acknowledge: options.acknowledge, minFreeBytes: 0)
        ).recover()
        defer { log.close() }
        try log.ensureTopic(Self.topic, TopicConfiguration(partitions: partitions))
        try body(log, folder)
    }

    // MARK: Appending

    /// Single events come from many producers, small batches from one, large ones from a few.
    private func shapes(batch: Int) -> [LogShape] {
        let partitions = options.partitions.first ?? 1
        if batch < 10 { return [LogShape(producers: options.producers, batch: batch, partitions: partitions)] }
        if batch >= 1000 { return [LogShape(producers: 8, batch: batch, partitions: partitions)] }
        return [1, 2].map { LogShape(producers: 1, underWay: $0, batch: batch, partitions: partitions) }
    }

    private func batches(_ report: inout BenchmarkReport, _ progress: (String) -> Void) throws {
        for shape in options.batches.flatMap(shapes) {
            progress("appending, \(shape.label)")
            var rate = 0.0
            try withLog(shape.partitions) { log, folder in
                let load = try AppendLoad(log, topic: Self.topic, shape: shape)
                _ = try load.run(seconds: settings.seconds / 10)
                let result = try load.run(seconds: settings.seconds)
                rate = result.perSecond
                report.add("append: \(shape.label)", rate, "events/s", aim: shape.batch == 1000 ? .atLeast(1_000_000) : nil)
                if shape.producers == 1 { try raw(result, shape, folder, &report) }
            }
            if shape.batch == 1, options.withRedis { try redis(rate, &report) }
        }
    }

    private func raw(_ result: AppendLoad.Result, _ shape: LogShape, _ folder: TemporaryFolder, _ report: inout BenchmarkReport) throws {
        let blockBytes = result.bytes / max(1, result.events / shape.batch)
        for (kind, name) in [(RawFile.Kind.growing, "growing"), (.overwritten, "overwritten")] {
            let blocks = try RawFile.run(kind, blockBytes: blockBytes, seconds: settings.seconds / 2, in: folder)
            let events = blocks * Double(shape.batch)
            report.add("raw, \(name): blocks for \(shape.label)", events, "events/s")
            let aim: BenchmarkReport.Aim? = shape.batch == 100 && shape.underWay == 1 ? .atLeast(70) : nil
            report.add("share of raw, \(name): \(shape.label)", events > 0 ? result.perSecond / events * 100 : 0, "%", aim: aim)
        }
    }

    private func redis(_ rate: Double, _ report: inout BenchmarkReport) throws {
        let folder = try TemporaryFolder(in: settings.directory)
        guard let redis = try RedisStreams.run(seconds: settings.seconds, clients: options.producers, in: folder) else {
            return report.note("redis-server or redis-benchmark is not installed: no comparison")
        }
        report.add("Redis Streams, appendfsync always, \(options.producers) clients", redis, "events/s")
        report.add("append as a multiple of Redis", rate / redis, "x", aim: .atLeast(2))
    }

    /// As many single appends in flight as there are partitions, so that a commit cycle touches them all.
    private func partitions(_ report: inout BenchmarkReport, _ progress: (String) -> Void) throws {
        let producers = max(options.producers, options.partitions.max() ?? 1)
        var first = 0.0
        for count in options.partitions {
            progress("appending to \(count) partitions")
            try withLog(count) { log, _ in
                let load = try AppendLoad(log, topic: Self.topic, shape: LogShape(producers: producers, batch: 1, partitions: count))
                _ = try load.run(seconds: settings.seconds / 10)
                let rate = try load.run(seconds: settings.seconds).perSecond
                report.add("append: \(producers) producers over \(count) partition\(count == 1 ? "" : "s")", rate, "events/s")
                if first == 0 {
                    first = rate
                } else {
                    report.add("time for \(count) partitions as a multiple of that for 1", first / rate, "x", aim: .atMost(1.3))
                }
            }
        }
    }

    // MARK: Reading

    private func reading(_ report: inout BenchmarkReport) throws {
        let folder = try TemporaryFolder(in: settings.directory)
        let log = try UnrecoveredLog(LogConfiguration(directory: folder.path, acknowledge: .written, minFreeBytes: 0)).recover()
        defer { log.close() }
        try log.ensureTopic(Self.topic, TopicConfiguration())
        let load = try AppendLoad(log, topic: Self.topic, shape: LogShape(producers: 4, batch: 1000, partitions: 1))
        let wanted = Int(600_000 * min(5, settings.seconds))
        _ = try load.run(seconds: settings.seconds * 4, events: wanted)
        let read = try SequentialRead.run(log, topic: Self.topic, seconds: settings.seconds * 2)
        report.add("read and decode, from page cache", read.perSecond, "events/s", aim: .atLeast(3_000_000))
    }

    private func tail(_ report: inout BenchmarkReport) throws {
        try withLog(1) { log, _ in
            let latencies = try TailLatency(log, topic: Self.topic).run(rate: 1_000, seconds: settings.seconds)
            report.add("append to tail reader at 1,000/s, p50", latencies.percentile(0.5), "ms")
            report.add("append to tail reader at 1,000/s, p99", latencies.percentile(0.99), "ms", aim: .atMost(0.6))
            report.add("append to tail reader at 1,000/s, max", latencies.percentile(1), "ms")
        }
    }
}
