import Martlet
import Pipelines

/// `martlet validate`: checks a config and starts nothing.
struct ValidateCommand: Command {
    static let name = "validate"
    static let summary = "Check a config file; report every problem, start nothing."
    static let usage = "[FILE] [--config FILE] [--set PATH=VALUE]... [--json]"
    static let options: [CommandOption] = [.config, .set, .json]
    static let details = """
        Exit code 0 if the config is good, 78 if it has problems.

        examples:
          martlet validate
          martlet validate production.json --json
        """

    private let configPath: String
    private let overrides: [String]
    private let asJSON: Bool

    init(_ arguments: Arguments) throws {
        configPath = arguments.value("config") ?? arguments.positional.first ?? "config.json"
        overrides = arguments.all("set")
        asJSON = arguments.has("json")
        guard arguments.positional.count <= 1 else { throw UsageError("expected one config file, found \(arguments.positional.count)") }
    }

    func run() async throws -> ExitCode {
        let logger = Logger(output: .standardError(minimum: .warning))
        let (host, problems) = Host.make(
            configPath: configPath, overrides: overrides, registry: try StandardModules.registry(), logger: logger)
        if asJSON {
            Terminal.print(JSONWriter.text(problems.json, layout: .pretty))
        } else if let host {
            Terminal.print("\(configPath) is good: \(Self.summary(of: host.graph))")
        } else {
            Terminal.print("\(problems.text)\n\(problems.count) problem\(problems.count == 1 ? "" : "s") in \(configPath)")
        }
        return host == nil ? .badConfig : .done
    }

    private static func summary(of graph: PipelineGraph) -> String {
        let parts = [
            ("topic", graph.config.topics.count), ("source", graph.sources.count), ("group", graph.groups.count),
            ("channel", graph.channels.count), ("query", graph.queries.count), ("database", graph.databases.count),
            ("bus", graph.pubSubs.count),
        ]
        return parts.filter { $0.1 > 0 }.map { name, count in
            count == 1 ? "1 \(name)" : "\(count) \(name == "query" ? "queries" : name == "bus" ? "buses" : name + "s")"
        }.joined(separator: ", ")
    }
}
