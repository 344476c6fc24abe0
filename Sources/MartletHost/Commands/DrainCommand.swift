import Martlet

/// `martlet drain`: empties the outbox of a running host.
struct DrainCommand: Command {
    static let name = "drain"
    static let summary = "Stop the sources of a running host and wait until its outbox is empty."
    static let usage = "[--resume | --status] [--timeout-seconds N] [--json] [--admin URL]"
    static let options: [CommandOption] = [
        .flag("resume", "Let the sources take inputs again."),
        .flag("status", "Show how far the host is, and change nothing."),
        .option("timeout-seconds", "N", "How long to wait for the outbox; 60 by default."),
        .json, .admin, .config,
    ]
    static let details = """
        Sources answer 503 with Retry-After until --resume or a restart; streams and queries go on. Exit code 0 once nothing
        waits, 1 if something still does. On several hosts with one database, drain each of them.

        Before `databases.main` is pointed elsewhere:
          martlet drain
          (edit databases.main)
          martlet reload
          martlet drain --resume
        """

    private let arguments: Arguments
    private let timeoutSeconds: Int

    init(_ arguments: Arguments) throws {
        guard arguments.positional.isEmpty else { throw UsageError("expected no words, found `\(arguments.positional[0])`") }
        if arguments.has("resume"), arguments.has("status") { throw UsageError("--resume and --status exclude each other") }
        timeoutSeconds = try arguments.integer("timeout-seconds", default: 60, in: 0...86_400)
        self.arguments = arguments
    }

    func run() async throws -> ExitCode {
        let client = try AdminClient(arguments)
        if arguments.has("resume") {
            return show(try client.post(["v1", "drain", "resume"]).json(), .done)
        }
        if arguments.has("status") {
            return show(try client.get(["v1", "drain"]).json(), .done)
        }
        var status = try client.post(["v1", "drain"]).json()
        let deadline = ContinuousClock.now + .seconds(timeoutSeconds)
        var shown = ""
        while !Self.isDrained(status), .now < deadline {
            let text = Self.waiting(status)
            if Terminal.isInteractive, !arguments.has("json"), text != shown { Terminal.print(text) }
            shown = text
            try await Task.sleep(for: .milliseconds(200))
            status = try client.get(["v1", "drain"]).json()
        }
        return show(status, Self.isDrained(status) ? .done : .failed)
    }

    private func show(_ status: JSONNode, _ code: ExitCode) -> ExitCode {
        if arguments.has("json") {
            Terminal.print(JSONWriter.text(status, layout: .pretty))
        } else if !Self.isDraining(status) {
            Terminal.print("sources take inputs; \(Self.waiting(status))")
        } else if Self.isDrained(status) {
            Terminal.print("drained: sources take nothing new, and nothing waits; `martlet drain --resume` ends that")
        } else {
            Terminal.print("not drained yet: \(Self.waiting(status))")
        }
        return code
    }

    private static func isDrained(_ status: JSONNode) -> Bool { status.text("drained") == "true" }
    private static func isDraining(_ status: JSONNode) -> Bool { status.text("draining") == "true" }

    private static func waiting(_ status: JSONNode) -> String {
        let outboxes = (status["outboxes"]?.items ?? []).map { outbox in
            if let error = outbox["error"]?.rawText { return "database \(outbox.text("database")): \(error)" }
            let others = outbox.text("waiting_of_other_hosts")
            return "\(outbox.text("waiting")) events wait in database \(outbox.text("database"))"
                + (others == "0" ? "" : ", and \(others) of other hosts")
        }
        let underWay = status.text("under_way")
        let parts = outboxes + (underWay == "0" ? [] : ["\(underWay) inputs are under way"])
        return parts.isEmpty ? "no source saves to a database" : parts.joined(separator: "; ")
    }
}
