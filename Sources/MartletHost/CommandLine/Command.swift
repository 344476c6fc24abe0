/// A command of `martlet`.
protocol Command: Sendable {
    /// The word or words after `martlet`.
    static var name: String { get }
    /// One line for the list of commands.
    static var summary: String { get }
    /// What follows the name, such as `TOPIC [--key KEY]`.
    static var usage: String { get }
    static var options: [CommandOption] { get }
    /// Paragraphs and examples for `--help`.
    static var details: String { get }

    init(_ arguments: Arguments) throws
    func run() async throws -> ExitCode
}

extension Command {
    static var details: String { "" }
}
