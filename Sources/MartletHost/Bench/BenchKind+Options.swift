import Benchmarks
import EmbeddedLog

extension BenchKind {
    /// The benchmark that the arguments ask for.
    func benchmark(_ arguments: Arguments, _ settings: BenchmarkSettings) throws -> any Benchmark {
        switch self {
        case .flow:
            if arguments.has("flat-out"), arguments.has("rate") { throw UsageError("--rate and --flat-out exclude each other") }
            let rate = try arguments.integer("rate", default: 1_000, in: 1...1_000_000)
            return FlowBenchmark(
                settings, rate: arguments.has("flat-out") ? nil : rate,
                clients: try arguments.integer("clients", default: 64, in: 1...10_000),
                users: try arguments.integer("users", default: 100, in: 1...100_000),
                backends: FlowBackends(
                    database: try choice(arguments, "database") ?? .sqlite, pubSub: try choice(arguments, "pubsub") ?? .memory),
                port: arguments.has("port") ? UInt16(try arguments.integer("port", default: 0, in: 1...65_535)) : nil)
        case .ingest:
            return IngestBenchmark(
                settings, connections: try arguments.integer("connections", default: 64, in: 1...10_000),
                batches: try list(arguments, "batch", [1, 1000], in: 1...10_000))
        case .fanout:
            return FanoutBenchmark(
                settings, connections: try arguments.integer("connections", default: 5_000, in: 1...25_000),
                messages: try arguments.integer("messages", default: 50, in: 1...100_000), withOthers: !arguments.has("alone"))
        case .users:
            return UsersBenchmark(
                settings, users: try arguments.integer("users", default: 10_000, in: 1...25_000),
                rate: try arguments.integer("rate", default: 2_000, in: 1...100_000), withNginx: !arguments.has("alone"))
        case .resume:
            return ResumeBenchmark(settings, records: try arguments.integer("records", default: 1_000_000, in: 10_000...100_000_000))
        case .log:
            return LogBenchmark(settings, try logOptions(arguments))
        case .sink:
            return SinkBenchmark(
                settings, databases: try choice(arguments, "database").map { [$0] } ?? SinkBenchmark.Database.allCases,
                rows: try arguments.integer("rows", default: 400_000, in: 1...100_000_000))
        case .start:
            return StartBenchmark(settings, bytes: try bytes(arguments))
        case .webhooks:
            return try webhooks(arguments, settings)
        case .killLoad:
            return LogKillLoad(directory: settings.directory, round: try arguments.integer("round", default: 0, in: 0...1_000_000))
        case .serve:
            return IdleServer()
        case .send:
            return BareSender()
        case .fill:
            return LogFiller(directory: settings.directory, bytes: try bytes(arguments), stopsCleanly: arguments.has("stop"))
        }
    }

    private func webhooks(_ arguments: Arguments, _ settings: BenchmarkSettings) throws -> any Benchmark {
        guard arguments.has("endpoints") else {
            if let other = ["dead", "rate"].first(where: { arguments.has($0) }) { throw UsageError("--\(other) needs --endpoints") }
            return WebhooksBenchmark(settings, inFlight: try arguments.integer("in-flight", default: 64, in: 1...1_000))
        }
        if arguments.has("in-flight") { throw UsageError("--in-flight and --endpoints exclude each other") }
        let endpoints = try arguments.integer("endpoints", default: 0, in: 10...10_000)
        return EndpointsBenchmark(
            settings, endpoints: endpoints, dead: try arguments.integer("dead", default: endpoints / 10, in: 1...(endpoints - 1)),
            rate: try arguments.integer("rate", default: 1_000, in: 1...100_000))
    }

    /// One of the words of a type; nil if the option is left out.
    private func choice<Choice: RawRepresentable<String> & CaseIterable>(_ arguments: Arguments, _ option: String) throws -> Choice? {
        guard let text = arguments.value(option) else { return nil }
        guard let choice = Choice(rawValue: text) else {
            throw UsageError("--\(option) must be \(Choice.allCases.map(\.rawValue).joined(separator: " or ")), found \(text)")
        }
        return choice
    }

    private func bytes(_ arguments: Arguments) throws -> Int {
        try arguments.integer("bytes", default: 1 << 30, in: 0...(1 << 40))
    }

    private func logOptions(_ arguments: Arguments) throws -> LogBenchmark.Options {
        var options = LogBenchmark.Options()
        options.partitions = try list(arguments, "partitions", options.partitions, in: 1...10_000)
        options.producers = try arguments.integer("producers", default: options.producers, in: 1...10_000)
        options.batches = try list(arguments, "batch", options.batches, in: 1...10_000)
        switch arguments.value("acknowledge") {
        case nil, "fsync": options.acknowledge = .fsync
        case "written": options.acknowledge = .written
        case let other?: throw UsageError("--acknowledge must be fsync or written, found \(other)")
        }
        options.recoverBytes = try bytes(arguments)
        options.withRedis = !arguments.has("alone")
        return options
    }

    /// Whole numbers with commas between them.
    private func list(_ arguments: Arguments, _ option: String, _ fallback: [Int], in range: ClosedRange<Int>) throws -> [Int] {
        guard let text = arguments.value(option) else { return fallback }
        return try text.split(separator: ",", omittingEmptySubsequences: false).map { word in
            guard let number = Int(word), range.contains(number) else {
                throw UsageError(
                    "--\(option) must be numbers from \(range.lowerBound) to \(range.upperBound) with commas between them, found \(text)")
            }
            return number
        }
    }
}
