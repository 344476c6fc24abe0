import EmbeddedLog
import Glibc
import LogSimulator
import Martlet
import Pipelines

/// `martlet log`: looks at the log's files of a host that is stopped, repairs them, and tests the log itself.
struct LogCommand: Command {
    static let name = "log"
    static let summary = "Verify or repair the log of a stopped host; try its promises on a simulated disk."
    static let usage = "verify [DATA_DIR] | repair [DATA_DIR] [--accept-loss] | simulate [--seed N] [--histories N]"
    static let options: [CommandOption] = [
        .flag("accept-loss", "repair: write, and give up what the preview names."),
        .option("seed", "N", "simulate: the first history's seed; a random one by default."),
        .option("histories", "N", "simulate: how many histories; 1000 by default."),
        .option("steps", "N", "simulate: steps of each history; 120 by default."),
        .option("config", "FILE", "The config whose host.data_directory is meant; config.json by default."), .json,
    ]
    static let details = """
        verify    Reads the journal and every segment: checksums, offsets, records, indexes. Changes nothing. Exit code 0 if
                  the log is sound, 1 if anything is damaged; each piece of damage with its file, bytes and lost offsets.
        repair    Shows what a repair would put right and what it would give up: file, bytes, topic, partition, offsets. With
                  --accept-loss it does so. Offsets of lost records stay empty, all others keep theirs. Copy the data folder
                  first, and prefer restoring a damaged file from a copy.
        simulate  Runs random histories of appends, restarts and faults on a disk in memory that tears, loses, reorders and
                  rots, and compares the log with a model. A failure prints its seed, which gives the same history again.

        DATA_DIR is the folder that the config calls host.data_directory. The host must be stopped: its lock is respected.

        examples:
          martlet log verify
          martlet log verify /var/lib/martlet --json
          martlet log repair
          martlet log repair --accept-loss
          martlet log simulate --seed 1 --histories 5000
        """

    private enum Action: String, CaseIterable {
        case verify, repair, simulate

        var options: Set<String> {
            switch self {
            case .verify: ["config", "json"]
            case .repair: ["accept-loss", "config", "json"]
            case .simulate: ["seed", "histories", "steps"]
            }
        }
    }

    private let action: Action
    private let directory: String?
    private let arguments: Arguments

    init(_ arguments: Arguments) throws {
        let words = arguments.positional
        let listed = Action.allCases.map(\.rawValue).joined(separator: ", ")
        guard let word = words.first else { throw UsageError("expected an action: \(listed)") }
        guard let action = Action(rawValue: word) else {
            let guess = Suggestion.question(for: word, among: Action.allCases.map(\.rawValue))
            throw UsageError("unknown action `\(word)`\(guess) (actions: \(listed))")
        }
        guard words.count <= (action == .simulate ? 1 : 2) else {
            throw UsageError(action == .simulate ? "`simulate` takes no folder" : "expected one data folder, found \(words.count - 1)")
        }
        if let other = Self.options.first(where: { arguments.has($0.name) && !action.options.contains($0.name) }) {
            throw UsageError("--\(other.name) does not go with `\(word)`")
        }
        if words.count == 2, arguments.has("config") { throw UsageError("--config and a data folder exclude each other") }
        self.action = action
        directory = words.count == 2 ? words[1] : nil
        self.arguments = arguments
    }

    func run() async throws -> ExitCode {
        switch action {
        case .verify: try verify()
        case .repair: try repair()
        case .simulate: try simulate()
        }
    }

    private func verify() throws -> ExitCode {
        let text = LogReportText(directory: try dataDirectory())
        let report = try LogInspection(directory: text.directory).verify(progress: Self.progress("reading"))
        if arguments.has("json") {
            Terminal.print(JSONWriter.text(text.json(report), layout: .pretty))
        } else {
            Terminal.print(text.text(of: report))
            if !report.isSound {
                Terminal.print(
                    "\nRestore the damaged files from a copy if you have one. `martlet log repair` shows what it would give up.")
            }
        }
        return report.isSound ? .done : .failed
    }

    private func repair() throws -> ExitCode {
        let text = LogReportText(directory: try dataDirectory())
        let inspection = try LogInspection(directory: text.directory)
        let executes = arguments.has("accept-loss")
        let report = try executes ? inspection.repair(progress: Self.progress("repairing")) : inspection.verify(progress: Self.progress("reading"))
        let left = executes && !report.isSound ? try inspection.verify(progress: Self.progress("reading")) : nil
        let isDone = left.map(\.isSound) ?? report.isSound
        if arguments.has("json") {
            var members: [(String, JSONNode)] = [("repaired", .bool(executes && isDone && !report.isSound))]
            members += text.members(report)
            Terminal.print(JSONWriter.text(.object(members), layout: .pretty))
            return isDone ? .done : .failed
        }
        Terminal.print(text.text(of: report))
        if report.isSound { return .done }
        if !executes {
            Terminal.print("\nNothing was changed. Copy the data folder, then add --accept-loss to repair it and give up what is named above.")
            return .failed
        }
        Terminal.print(isDone ? "\nThe log was repaired, and is sound." : "\nThis is left:\n\(left.map(text.text) ?? "")")
        return isDone ? .done : .failed
    }

    private func simulate() throws -> ExitCode {
        let first = try arguments.integer("seed", default: Int(UInt32.random(in: 0 ... .max)), in: 0...Int.max / 2)
        let count = try arguments.integer("histories", default: 1000, in: 1...1_000_000_000)
        let steps = try arguments.integer("steps", default: 120, in: 1...1_000_000)
        var shown = ContinuousClock.now
        for number in 0..<count {
            do throws(SimulationFailure) {
                try LogSimulator.run(seed: UInt64(first + number), steps: steps)
            } catch {
                Terminal.printError("a promise was broken in history \(number + 1) of \(count)\n\(error)")
                Terminal.print("again: martlet log simulate --seed \(first + number) --histories 1 --steps \(steps)")
                return .failed
            }
            if shown.duration(to: .now) > .seconds(2) {
                shown = .now
                Terminal.note("\(number + 1) of \(count) histories")
            }
        }
        Terminal.print("\(count) histories of \(steps) steps, seeds \(first) to \(first + count - 1): every promise was kept")
        return .done
    }

    /// The folder that was named, or the config's.
    private func dataDirectory() throws -> String {
        if let directory { return directory }
        let path = arguments.value("config") ?? "config.json"
        if arguments.value("config") == nil, access(path, F_OK) != 0 {
            throw UsageError("there is no config.json here: name the data folder, or a config with --config")
        }
        let (loaded, problems) = LoadedConfig.load(path: path, overrides: [])
        // What is wrong with other blocks does not matter here.
        let relevant = problems.sorted.filter { loaded == nil || $0.path.pointer == "/host" || $0.path.pointer.hasPrefix("/host/") }
        guard let loaded, relevant.isEmpty else { throw ConfigError(problems: relevant) }
        if let module = loaded.config.log.module {
            throw UsageError(
                "the log of \(path) is of type `\(module.type)`, and not in files of this host; "
                    + "an embedded log's data folder can be named instead")
        }
        return loaded.dataDirectory
    }

    /// Says what is being done to a person who waits, nothing more often than it changes.
    private static func progress(_ verb: String) -> (String) -> Void {
        { what in Terminal.note("\(verb): \(what)") }
    }
}
