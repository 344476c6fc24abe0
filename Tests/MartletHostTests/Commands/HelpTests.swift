import Testing

@testable import MartletHost

@Suite struct HelpTests {
    static let names = CommandLineInterface.commands.map { $0.name }

    private func command(_ name: String) throws -> any Command.Type {
        try #require(CommandLineInterface.commands.first { $0.name == name })
    }

    @Test(arguments: names) func everyCommandTeaches(_ name: String) throws {
        let command = try command(name)
        #expect(command.summary.hasSuffix(".") && command.summary.first?.isUppercase == true)
        #expect(command.summary.count <= 90)
        for option in command.options { #expect(option.summary.hasSuffix("."), "--\(option.name)") }
        #expect(Set(command.options.map(\.name)).count == command.options.count)
        #expect(command.details.contains("martlet \(name)") || name == "run", "\(name) shows no example")
        #expect(!command.details.contains("\t"))
    }

    /// The whole text of one command, so that its layout is seen.
    @Test func theHelpOfReload() throws {
        #expect(
            CommandLineInterface.help(ReloadCommand.self) == """
                Let a running host read its config file again.

                usage: martlet reload [--admin URL] [--config FILE]

                options:
                  --admin URL    The host's admin address; host.admin_listen of the config by default.
                  --config FILE  The config file; config.json in the current folder by default.

                Parts that did not change run on, with their connections. A config with problems changes nothing; the problems
                are printed and the exit code is 78.

                examples:
                  martlet validate && martlet reload
                  martlet reload --admin http://127.0.0.1:8081
                """)
    }

    @Test func namesDiffer() {
        #expect(Set(Self.names).count == Self.names.count)
    }

    static let mistakes: [([String], String)] = [
        (["topics", "show"], "expected `list` or `show TOPIC`, found `show`"),
        (["topics", "shwo", "x"], "expected `list` or `show TOPIC`, found `shwo x`"),
        (["groups", "rest", "g"], "unknown action `rest`; did you mean `reset`? (actions: list, show, pause, resume, reset)"),
        (["groups", "pause"], "expected `pause GROUP`"),
        (["groups", "list", "g"], "`list` takes no name"),
        (["groups", "show", "g", "--to", "latest"], "--to goes with `reset`"),
        (["groups", "reset", "g"], "say where to: --to earliest, latest, OFFSET or @TIME, or --by 2h"),
        (["groups", "reset", "g", "--to", "latest", "--by", "1h"], "--to and --by exclude each other"),
        (["groups", "reset", "g", "--by", "1 h"], "--by must be a number with a unit: 500ms, 90s, 15m, 2h or 7d, found 1 h"),
        (
            ["groups", "reset", "g", "--to", "-3"],
            "--to must be earliest, latest, an offset or @TIME (milliseconds since the epoch or a time like 2026-01-31T12:00:00Z), found -3"
        ),
        (["produce"], "expected TOPIC and at most one file, found 0 words"),
        (["produce", "t", "--header", "=x"], "--header must be NAME=VALUE, found =x"),
        (["produce", "t", "--key", "a", "--key-separator", ":"], "--key and --key-separator exclude each other"),
        (["produce", "t", "--envelope", "--text"], "--envelope brings key, headers and payload: leave --key-separator, --header and --text out"),
        (["consume"], "expected one TOPIC, found 0 words"),
        (["consume", "t", "--json", "--payload"], "--json and --payload exclude each other"),
        (
            ["consume", "t", "--from", "middle"],
            "--from must be earliest, latest, an offset, -N for the last N, or @TIME (milliseconds since the epoch or a time like 2026-01-31T12:00:00Z), found middle"
        ),
        (["dead-letters", "replay", "t", "--from", "latest"], "replay begins --from earliest or an offset"),
        (["dead-letters", "list", "--limit", "3"], "--from and --limit go with `show` and `replay`"),
        (["reload", "now"], "expected no words, found `now`"),
        (["schema", "x"], "expected no words, found `x`"),
        (["log"], "expected an action: verify, repair, simulate"),
        (["log", "verfiy"], "unknown action `verfiy`; did you mean `verify`? (actions: verify, repair, simulate)"),
        (["log", "verify", "--accept-loss"], "--accept-loss does not go with `verify`"),
        (["log", "verify", "a", "b"], "expected one data folder, found 2"),
        (["log", "repair", "a", "--config", "b"], "--config and a data folder exclude each other"),
        (["log", "simulate", "data"], "`simulate` takes no folder"),
        (["topics", "--admin", "http://"], "--admin must be like http://127.0.0.1:8081, found http://"),
    ]

    @Test(arguments: mistakes) func wrongUsageIsNamed(_ words: [String], _ message: String) throws {
        let command = try command(words[0])
        do {
            let arguments = try Arguments(Array(words.dropFirst()), options: command.options)
            _ = try command.init(arguments)
            if arguments.has("admin") { _ = try AdminAddress.find(arguments) }
            Issue.record("accepted")
        } catch let error as UsageError {
            #expect(error.message == message)
        }
    }
}
