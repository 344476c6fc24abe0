import Martlet
import Pipelines

/// `martlet run`: runs a config until it is told to stop.
struct RunCommand: Command {
    static let name = "run"
    static let summary = "Run the pipelines of a config file."
    static let usage = "[--config FILE] [--set PATH=VALUE]..."
    static let options: [CommandOption] = [.config, .set]
    static let details = """
        SIGHUP reads the config again: a bad one is reported and the running one stays.
        SIGTERM and SIGINT stop within host.shutdown_grace_seconds; a second one stops at once.

        examples:
          martlet
          martlet run --config production.json
          martlet run --set host.listen=127.0.0.1:9000 --set host.log_level=debug
        """

    private let configPath: String
    private let overrides: [String]

    init(_ arguments: Arguments) throws {
        configPath = arguments.value("config") ?? arguments.positional.first ?? "config.json"
        overrides = arguments.all("set")
        guard arguments.positional.count <= 1 else { throw UsageError("expected one config file, found \(arguments.positional.count)") }
    }

    func run() async throws -> ExitCode {
        let signals = try ProcessSignals()
        // Its problems come again from the host, together with those of the modules.
        let (loaded, _) = LoadedConfig.load(path: configPath, overrides: overrides)
        let logger = Logger(output: Self.output(loaded?.config.host))
        let (made, problems) = Host.make(
            configPath: configPath, overrides: overrides, registry: try StandardModules.registry(), logger: logger)
        try problems.throwIfAny()
        guard let host = made else { return .badConfig }
        let operations = HostOperations(host)
        let admin = AdminAPI(host: host, operations: operations, token: loaded?.config.host.adminToken)
        try await host.start { admin.routes(of: $0) }
        await signals.run(host: host, operations: operations, logger: logger)
        return .done
    }

    private static func output(_ config: HostConfig?) -> LogOutput {
        let level = Logger.Level.allCases.first { $0.text == config?.logLevel.rawValue } ?? .info
        return .standardError(minimum: level, format: config.flatMap { LogOutput.Format(rawValue: $0.logFormat.rawValue) })
    }
}
