import Martlet

/// `martlet reference`: the config reference in Markdown.
struct ReferenceCommand: Command {
    static let name = "reference"
    static let summary = "Print the config reference in Markdown: all blocks and modules with their fields."
    static let usage = "[--write FILE]"
    static let options: [CommandOption] = [
        .option("write", "FILE", "Puts the reference in its place in this Markdown file instead of printing it."),
    ]
    static let details = """
        It is made from the declarations that also read and check a config. The same build prints the same text.

        A file's place for it begins after a comment that names `martlet reference`, and ends before the next heading that is
        not part of it.

        examples:
          martlet reference > REFERENCE.md
          martlet reference --write README.md        after a module was added, changed or removed
          martlet modules show sink/table
        """

    private let file: String?

    init(_ arguments: Arguments) throws {
        guard arguments.positional.isEmpty else { throw UsageError("expected no words, found `\(arguments.positional[0])`") }
        file = arguments.value("write")
    }

    func run() async throws -> ExitCode {
        let markdown = ConfigReference(try StandardModules.registry()).markdown
        guard let file else {
            Terminal.print(markdown)
            return .done
        }
        let text = try FileTree.read(file)
        guard let updated = Self.replaced(in: text, with: markdown) else {
            throw UsageError("\(file) has no place for the reference: a line `<!-- \(Self.marker) … -->`")
        }
        if updated != text { try FileTree.write(updated, to: file) }
        Terminal.print(updated == text ? "\(file) is up to date" : "\(file) updated")
        return .done
    }

    private static let marker = "`martlet reference`"

    /// The text with the reference in its place; nil if it has none.
    static func replaced(in text: String, with markdown: String) -> String? {
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        guard let begin = lines.firstIndex(where: { $0.hasPrefix("<!--") && $0.contains(marker) }) else { return nil }
        let own = ["## Config", "## Modules: "]
        let end = lines[(begin + 1)...].firstIndex { line in
            line.hasPrefix("## ") && !own.contains { line.hasPrefix($0) }
        }
        let rest = end.map { "\n" + lines[$0...].joined(separator: "\n") } ?? ""
        let reference = markdown.hasSuffix("\n") ? markdown : markdown + "\n"
        return lines[...begin].joined(separator: "\n") + "\n" + reference + rest
    }
}
