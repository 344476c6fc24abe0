import Martlet

/// `martlet groups`: where consumer groups stand, and pause, resume and reset.
struct GroupsCommand: Command {
    static let name = "groups"
    static let summary = "List consumer groups with their lag; show, pause, resume or reset one."
    static let usage = "[list | show GROUP | pause GROUP | resume GROUP | reset GROUP --to PLACE [--execute]] [--json] [--admin URL]"
    static let options: [CommandOption] = [
        .option("to", "PLACE", "For reset: earliest, latest, an offset, or @TIME (\(TimeText.expected))."),
        .option("by", "TIME", "For reset: so long back from now (500ms, 90s, 15m, 2h, 7d), instead of --to."),
        .option("topic", "TOPIC", "For reset: only this topic of the group."),
        .option("partition", "N", "For reset: only this partition."),
        .flag("execute", "For reset: set the offsets; without it, reset shows what it would do."),
        .json, .admin, .config,
    ]
    static let details = """
        A pause lasts until `resume`, a restart of the host, or a change of the group's block in the config.
        A reset needs a paused group whose batch under way has finished; one that is being retried is given up.
        Records that are consumed again come again to the group's sink: an `on_conflict` or an id makes that harmless.

        examples:
          martlet groups
          martlet groups show notification-store
          martlet groups pause notification-store
          martlet groups reset notification-store --to earliest             preview
          martlet groups reset notification-store --to earliest --execute   rebuild the store
          martlet groups reset notification-push --by 2h --execute
          martlet groups reset notification-push --to 42 --partition 3 --execute
          martlet groups resume notification-store
        """

    private enum Action {
        case list
        case show(String)
        case pause(String)
        case resume(String)
        case reset(String, GroupReset)
    }

    private let action: Action
    private let arguments: Arguments

    init(_ arguments: Arguments) throws {
        let words = arguments.positional
        let verb = words.first ?? "list"
        let verbs = ["list", "show", "pause", "resume", "reset"]
        guard verbs.contains(verb) else {
            let guess = Suggestion.question(for: verb, among: verbs)
            throw UsageError("unknown action `\(verb)`\(guess) (actions: \(verbs.joined(separator: ", ")))")
        }
        guard words.count == (verb == "list" ? min(words.count, 1) : 2) else {
            throw UsageError(verb == "list" ? "`list` takes no name" : "expected `\(verb) GROUP`")
        }
        switch verb {
        case "show": action = .show(words[1])
        case "pause": action = .pause(words[1])
        case "resume": action = .resume(words[1])
        case "reset": action = .reset(words[1], try GroupReset(arguments))
        default: action = .list
        }
        if verb != "reset", let option = ["to", "by", "topic", "partition", "execute"].first(where: arguments.has) {
            throw UsageError("--\(option) goes with `reset`")
        }
        self.arguments = arguments
    }

    func run() async throws -> ExitCode {
        let client = try AdminClient(arguments)
        let answer: JSONNode
        let text: (JSONNode) -> String
        switch action {
        case .list:
            let list = try client.get(["v1", "groups"]).json()
            answer = list["groups"] ?? .array([])
            let place = list["run_on"]?.rawText.map { "\n\nThese groups run on the host that has the log: --admin \($0)" } ?? ""
            text = { GroupText.table($0) + place }
        case .show(let group):
            answer = try client.get(["v1", "groups", group]).json()
            text = GroupText.details
        case .pause(let group):
            answer = try await pause(group, client)
            text = { "\($0.text("group")) is \($0.text("state"))" }
        case .resume(let group):
            answer = try client.post(["v1", "groups", group, "resume"]).json()
            text = { "\($0.text("group")) is \($0.text("state"))" }
        case .reset(let group, let reset):
            answer = try client.post(["v1", "groups", group, "reset"], reset.body).json()
            text = reset.text
        }
        arguments.show(answer, as: text)
        return .done
    }

    /// Waits a while for the batch under way, so that a reset can follow at once.
    private func pause(_ group: String, _ client: AdminClient) async throws -> JSONNode {
        var status = try client.post(["v1", "groups", group, "pause"]).json()
        let deadline = ContinuousClock.now + .seconds(5)
        while status["state"]?.rawText == "pausing", .now < deadline {
            try await Task.sleep(for: .milliseconds(50))
            status = try client.get(["v1", "groups", group]).json()
        }
        return status
    }
}
