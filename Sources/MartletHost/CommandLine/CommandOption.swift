/// An option of a command, declared once for parsing and for `--help`.
struct CommandOption: Sendable {
    /// Without the dashes.
    let name: String
    /// What stands for the value in the help; nil for a flag.
    let value: String?
    let summary: String
    var isRepeatable = false

    static func flag(_ name: String, _ summary: String) -> CommandOption {
        CommandOption(name: name, value: nil, summary: summary)
    }

    static func option(_ name: String, _ value: String, _ summary: String, isRepeatable: Bool = false) -> CommandOption {
        CommandOption(name: name, value: value, summary: summary, isRepeatable: isRepeatable)
    }

    static let config = option("config", "FILE", "The config file; config.json in the current folder by default.")
    static let set = option(
        "set", "PATH=VALUE", "Overrides one value of the config, such as host.listen=127.0.0.1:9000.", isRepeatable: true)
    static let json = flag("json", "Prints JSON instead of a table.")
}
