import Benchmarks

/// What `martlet bench` measures.
enum BenchKind: String, CaseIterable {
    case flow

    static var visible: [BenchKind] { allCases }

    static var listed: String { visible.map(\.rawValue).joined(separator: ", ") }

    private static let common: [CommandOption] = [
        .option("runs", "N", "How often each number is measured; 3 by default."),
        .option("directory", "DIR", "A folder on the disk to measure; $TMPDIR or /tmp by default."),
        .json,
    ]

    private static let seconds = CommandOption.option("seconds", "N", "Length of each measurement; 5 by default.")

    var options: [CommandOption] {
        switch self {
        case .flow:
            [
                .option("rate", "N", "flow: likes a second; 1000 by default."),
                .flag("flat-out", "flow: as many likes as the host takes."),
                .option("clients", "N", "flow: connections that post; 64 by default."),
                .option("users", "N", "flow: users with a stream each; 100 by default."),
                Self.seconds,
            ] + Self.common
        }
    }

    /// All options of all benchmarks, each once.
    static var allOptions: [CommandOption] {
        var seen: Set<String> = []
        return allCases.flatMap(\.options).filter { seen.insert($0.name).inserted }
    }

    static var details: String {
        """
        flow: POST a like to the shipped flow, receive its notification; counts lost and duplicate ones.

        Each number is measured --runs times; the table has the least, the median and the greatest. Load generator and
        server share this machine. Exit code 1 if anything was lost or came twice.

        examples:
          martlet bench flow --rate 1000
          martlet bench flow --flat-out --seconds 10 --json
        """
    }

    func benchmark(_ arguments: Arguments, _ settings: BenchmarkSettings) throws -> any Benchmark {
        switch self {
        case .flow:
            if arguments.has("flat-out"), arguments.has("rate") { throw UsageError("--rate and --flat-out exclude each other") }
            let rate = try arguments.integer("rate", default: 1_000, in: 1...1_000_000)
            return FlowBenchmark(
                settings, rate: arguments.has("flat-out") ? nil : rate,
                clients: try arguments.integer("clients", default: 64, in: 1...10_000),
                users: try arguments.integer("users", default: 100, in: 1...100_000))
        }
    }
}
