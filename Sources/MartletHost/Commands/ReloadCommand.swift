import Martlet

/// `martlet reload`: what SIGHUP does, with the problems here.
struct ReloadCommand: Command {
    static let name = "reload"
    static let summary = "Let a running host read its config file again."
    static let usage = "[--admin URL] [--config FILE]"
    static let options: [CommandOption] = [.admin, .config]
    static let details = """
        Parts that did not change run on, with their connections. A config with problems changes nothing; the problems
        are printed and the exit code is 78.

        examples:
          martlet validate && martlet reload
          martlet reload --admin http://127.0.0.1:8081
        """

    private let arguments: Arguments

    init(_ arguments: Arguments) throws {
        guard arguments.positional.isEmpty else { throw UsageError("expected no words, found `\(arguments.positional[0])`") }
        self.arguments = arguments
    }

    func run() async throws -> ExitCode {
        do {
            _ = try AdminClient(arguments).post(["v1", "reload"])
        } catch let error as ClientError where error.status == 422 {
            Terminal.printError("the config was not reloaded; the running one stays\n\(error)")
            return .badConfig
        }
        Terminal.print("config reloaded")
        return .done
    }
}
