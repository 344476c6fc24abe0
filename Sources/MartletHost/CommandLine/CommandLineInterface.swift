import Martlet

/// Finds the command, parses its arguments, runs it, and says what went wrong.
enum CommandLineInterface {
    static let commands: [any Command.Type] = [
        RunCommand.self,
        ValidateCommand.self,
        TestCommand.self,
        ReloadCommand.self,
        DrainCommand.self,
        TopicsCommand.self,
        GroupsCommand.self,
        ChannelsCommand.self,
        ProduceCommand.self,
        ConsumeCommand.self,
        DeadLettersCommand.self, WebhooksCommand.self,
        ModulesCommand.self,
        PluginCommand.self,
        SchemaCommand.self,
        ReferenceCommand.self,
        LogCommand.self,
        BenchCommand.self,
    ]

    static func run(_ words: [String]) async -> ExitCode {
        guard let first = words.first else { return await run(RunCommand.self, []) }
        switch first {
        case "--help", "-h", "help":
            Terminal.print(overview)
            return .done
        case "--version":
            Terminal.print("martlet \(Version.text)")
            return .done
        default:
            break
        }
        guard let command = commands.first(where: { $0.name == first }) else {
            if first.hasPrefix("-") { return await run(RunCommand.self, words) }
            let guess = Suggestion.question(for: first, among: commands.map { $0.name }) { "`martlet \($0)`" }
            Terminal.printError("unknown command `\(first)`\(guess)\n\nRun `martlet --help` for the list of commands.")
            return .wrongUsage
        }
        return await run(command, Array(words.dropFirst()))
    }

    private static func run<C: Command>(_ command: C.Type, _ words: [String]) async -> ExitCode {
        do {
            let arguments = try Arguments(words, options: command.options)
            if arguments.wantsHelp {
                Terminal.print(help(command))
                return .done
            }
            return try await command.init(arguments).run()
        } catch let error as UsageError {
            Terminal.printError(
                "\(error.message)\n\n\(usage(command))\nRun `martlet \(command.name) --help` for more.")
            return .wrongUsage
        } catch let error as ConfigError {
            Terminal.printError(error.description)
            return .badConfig
        } catch {
            Terminal.printError("\(error)")
            return .failed
        }
    }

    private static var overview: String {
        let width = commands.map { $0.name.count }.max() ?? 0
        let lines = commands.map { "  \(Terminal.padded($0.name, width))  \($0.summary)" }
        return """
            Martlet: event pipelines from one config file.

            usage: martlet [COMMAND] [OPTIONS]

            \(lines.joined(separator: "\n"))

            Without a command, martlet runs config.json of the current folder.
            `martlet COMMAND --help` says more. Exit codes: 0 done, 1 failed, 2 wrong usage, 78 bad config.
            """
    }

    private static func usage<C: Command>(_ command: C.Type) -> String {
        "usage: martlet \(command.name)" + (command.usage.isEmpty ? "" : " \(command.usage)")
    }

    static func help<C: Command>(_ command: C.Type) -> String {
        var text = "\(command.summary)\n\n\(usage(command))\n"
        if !command.options.isEmpty {
            let names = command.options.map { option in "--\(option.name)" + (option.value.map { " \($0)" } ?? "") }
            let width = names.map(\.count).max() ?? 0
            text += "\noptions:\n"
            for (name, option) in zip(names, command.options) { text += "  \(Terminal.padded(name, width))  \(option.summary)\n" }
        }
        if !command.details.isEmpty { text += "\n\(command.details)\n" }
        return String(text.dropLast())
    }
}
