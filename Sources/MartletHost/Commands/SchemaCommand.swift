import Martlet

/// `martlet schema`: the JSON Schema of a config, for editors.
struct SchemaCommand: Command {
    static let name = "schema"
    static let summary = "Print the JSON Schema of a config, with which an editor completes and checks it."
    static let usage = "[--config FILE]"
    static let options: [CommandOption] = [.config]
    static let details = """
        JSON Schema draft 2020-12, with the modules of this build and of the config's `plugins`. Name it in the config, and the
        editor completes keys and module types and marks what is wrong: "$schema": "./martlet.schema.json".
        It knows shapes and ranges; `martlet validate` also follows references and compiles templates.

        examples:
          martlet schema > martlet.schema.json
        """

    private let arguments: Arguments

    init(_ arguments: Arguments) throws {
        guard arguments.positional.isEmpty else { throw UsageError("expected no words, found `\(arguments.positional[0])`") }
        self.arguments = arguments
    }

    func run() async throws -> ExitCode {
        Terminal.print(JSONWriter.text(ConfigReference(try ConfiguredModules.registry(arguments)).schema, layout: .pretty))
        return .done
    }
}
