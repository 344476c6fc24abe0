import Martlet

/// `martlet modules`: what a config can name, from the modules' own declarations.
struct ModulesCommand: Command {
    static let name = "modules"
    static let summary = "List the modules that a config can name, or show one."
    static let usage = "[show KIND/TYPE] [--json] [--config FILE]"
    static let options: [CommandOption] = [.json, .config]
    static let details = """
        Those of this build, and those of the libraries that the config names under `plugins`.

        examples:
          martlet modules
          martlet modules show sink/table
        """

    private let shown: String?
    private let asJSON: Bool
    private let arguments: Arguments

    init(_ arguments: Arguments) throws {
        asJSON = arguments.has("json")
        self.arguments = arguments
        switch arguments.positional.count {
        case 0: shown = nil
        case 2 where arguments.positional[0] == "show": shown = arguments.positional[1]
        default: throw UsageError("expected nothing or `show KIND/TYPE`, found `\(arguments.positional.joined(separator: " "))`")
        }
    }

    func run() async throws -> ExitCode {
        let modules = ModuleList(try ConfiguredModules.registry(arguments))
        guard let shown else {
            Terminal.print(asJSON ? JSONWriter.text(modules.json, layout: .pretty) : modules.table)
            return .done
        }
        guard let module = modules.find(shown) else {
            let guess = Suggestion.question(for: shown, among: modules.names)
            throw UsageError("no module `\(shown)`\(guess)")
        }
        Terminal.print(asJSON ? JSONWriter.text(module.json, layout: .pretty) : module.text)
        return .done
    }
}
