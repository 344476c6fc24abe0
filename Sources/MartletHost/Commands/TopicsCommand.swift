import Martlet

/// `martlet topics`: what a running host's log has.
struct TopicsCommand: Command {
    static let name = "topics"
    static let summary = "List the topics of a running host, or show one with its partitions."
    static let usage = "[list | show TOPIC] [--json] [--admin URL] [--config FILE]"
    static let options: [CommandOption] = [.json, .admin, .config]
    static let details = """
        Topics are made from the config's `topics` when the host starts or reloads.

        examples:
          martlet topics
          martlet topics show notifications
          martlet topics list --json | jq '.[].name'
        """

    private let topic: String?
    private let arguments: Arguments

    init(_ arguments: Arguments) throws {
        let words = arguments.positional
        switch (words.first, words.count) {
        case (nil, _), ("list", 1): topic = nil
        case ("show", 2): topic = words[1]
        default: throw UsageError("expected `list` or `show TOPIC`, found `\(words.joined(separator: " "))`")
        }
        self.arguments = arguments
    }

    func run() async throws -> ExitCode {
        let client = try AdminClient(arguments)
        if let topic {
            let answer = try client.get(["v1", "topics", topic]).json()
            arguments.show(answer, as: Self.text)
        } else {
            let topics = try client.get(["v1", "topics"]).json()["topics"] ?? .array([])
            arguments.show(topics, as: Self.table)
        }
        return .done
    }

    private static func table(_ topics: JSONNode) -> String {
        let rows = topics.items.map { topic in
            [
                topic.text("name"), String(topic["partitions"]?.items.count ?? 0), topic.text("records"), retention(topic),
                topic["settings"]?.text("cleanup") ?? "not in the config",
            ]
        }
        return Terminal.table(["TOPIC", "PARTITIONS", "RECORDS", "RETENTION", "CLEANUP"], rows)
    }

    private static func text(_ topic: JSONNode) -> String {
        let rows = topic["partitions"]?.items.map { partition -> [String] in
            let start = partition["start"]?.wholeNumber ?? 0
            let end = partition["end"]?.wholeNumber ?? 0
            return [partition.text("partition"), String(start), String(end), String(end - start)]
        }
        return """
            \(topic.text("name")): \(topic.text("records")) records, retention \(retention(topic)), incarnation \(topic.text("incarnation"))

            \(Terminal.table(["PARTITION", "START", "END", "RECORDS"], rows ?? []))
            """
    }

    private static func retention(_ topic: JSONNode) -> String {
        guard let settings = topic["settings"], case .object = settings.kind else { return "-" }
        var parts: [String] = []
        if let age = settings["retention_ms"]?.wholeNumber { parts.append("\(age / 3_600_000) h") }
        if let bytes = settings["retention_bytes"]?.wholeNumber { parts.append("\(bytes) bytes") }
        return parts.isEmpty ? "for ever" : parts.joined(separator: ", ")
    }
}
