import Martlet

/// `martlet reference`: the config reference in Markdown.
struct ReferenceCommand: Command {
    static let name = "reference"
    static let summary = "Print the config reference in Markdown: all blocks and modules with their fields."
    static let usage = ""
    static let options: [CommandOption] = []
    static let details = """
        It is made from the declarations that also read and check a config. The same build prints the same text.

        examples:
          martlet reference > REFERENCE.md
          martlet modules show sink/table
        """

    init(_ arguments: Arguments) throws {
        guard arguments.positional.isEmpty else { throw UsageError("expected no words, found `\(arguments.positional[0])`") }
    }

    func run() async throws -> ExitCode {
        Terminal.print(ConfigReference(try StandardModules.registry()).markdown)
        return .done
    }
}
