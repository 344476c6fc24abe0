import Martlet

/// `martlet schema`: the JSON Schema of a config, for editors.
struct SchemaCommand: Command {
    static let name = "schema"
    static let summary = "Print the JSON Schema of a config, with which an editor completes and checks it."
    static let usage = ""
    static let options: [CommandOption] = []
    static let details = """
        JSON Schema draft 2020-12, with the modules of this build. Name it in the config: "$schema": "./martlet.schema.json".
        It knows shapes and ranges; `martlet validate` also follows references and compiles templates.

        examples:
          martlet schema > martlet.schema.json
        """

    init(_ arguments: Arguments) throws {
        guard arguments.positional.isEmpty else { throw UsageError("expected no words, found `\(arguments.positional[0])`") }
    }

    func run() async throws -> ExitCode {
        Terminal.print(JSONWriter.text(ConfigReference(try StandardModules.registry()).schema, layout: .pretty))
        return .done
    }
}
