import Martlet

/// `martlet dead-letters`: what groups gave up on.
struct DeadLettersCommand: Command {
    static let name = "dead-letters"
    static let summary = "List, show or replay the records that groups gave up on."
    static let usage = "[list | show TOPIC [--from PLACE] [--limit N] | replay TOPIC [--from PLACE] [--limit N]] [--json] [--admin URL]"
    static let options: [CommandOption] = [
        .option("from", "PLACE", "For show and replay: earliest or an offset; replay goes on after those replayed before."),
        .option("limit", "N", "For show and replay: so many at most; by default all."),
        .json, .admin, .config,
    ]
    static let details = """
        A group moves a record that its sink refuses for good to TOPIC.dead-letters, with headers that say why. A replay
        publishes dead letters to the topic that they came from, with their ids, keys and headers. They come late: after
        records of their key that were published meanwhile, and all groups of the topic get them.

        examples:
          martlet dead-letters
          martlet dead-letters show notifications
          martlet dead-letters show notifications --json | jq .payload
          martlet dead-letters replay notifications --limit 1     try one
          martlet dead-letters replay notifications               then the rest
        """

    private enum Action {
        case list
        case show(String)
        case replay(String)
    }

    private let action: Action
    private let from: OffsetText?
    private let limit: Int?
    private let arguments: Arguments

    init(_ arguments: Arguments) throws {
        let words = arguments.positional
        switch (words.first ?? "list", words.count) {
        case ("list", 0...1): action = .list
        case ("show", 2): action = .show(words[1])
        case ("replay", 2): action = .replay(words[1])
        default: throw UsageError("expected `list`, `show TOPIC` or `replay TOPIC`, found `\(words.joined(separator: " "))`")
        }
        from = try arguments.place("from")
        limit = arguments.has("limit") ? try arguments.integer("limit", default: 0, in: 1...Int.max) : nil
        if case .list = action, from != nil || limit != nil { throw UsageError("--from and --limit go with `show` and `replay`") }
        if case .replay = action {
            switch from {
            case nil, .earliest, .offset: break
            default: throw UsageError("replay begins --from earliest or an offset")
            }
        }
        self.arguments = arguments
    }

    func run() async throws -> ExitCode {
        let client = try AdminClient(arguments)
        switch action {
        case .list:
            let topics = try client.get(["v1", "dead-letters"]).json()["topics"] ?? .array([])
            arguments.show(topics, as: Self.table)
        case .show(let topic): try await show(topic, client)
        case .replay(let topic): try replay(topic, client)
        }
        return .done
    }

    private static func table(_ topics: JSONNode) -> String {
        Terminal.table(
            ["TOPIC", "DEAD LETTERS", "NOT REPLAYED"],
            topics.items.map { [$0.text("topic"), $0.text("count"), $0.text("not_replayed")] })
    }

    private func show(_ topic: String, _ client: AdminClient) async throws {
        let suffix = TopicName("").deadLetters.text
        let name = topic.hasSuffix(suffix) ? topic : topic + suffix
        let download = RecordDownload(
            client: client, path: ["v1", "dead-letters", topic], from: from ?? .earliest, limit: limit,
            ends: try RecordDownload.ends(of: name, client))
        let isJSON = arguments.has("json")
        try await download.run { line in
            if isJSON { return Terminal.printBytes(line + [UInt8(ascii: "\n")]) }
            return Terminal.printBytes(Array((Self.text(try RecordText(line)) + "\n").utf8))
        }
    }

    private static func text(_ record: RecordText) -> String {
        func header(_ name: String) -> String { record.header("dead-letter-\(name)") ?? "-" }
        let time = record.header("dead-letter-timestamp").flatMap { Int64($0) }.map { LogOutput.utc($0) } ?? "-"
        let origin = "\(header("topic"))/\(header("partition")) @\(header("offset"))"
        return """
            @\(record.text("offset"))  \(time)  group \(header("group"))  \(header("attempts")) attempts  from \(origin)  key \(record.key ?? "-")
              \(header("error")) [\(header("code"))]
              \(String(decoding: record.payload, as: UTF8.self))
            """
    }

    private func replay(_ topic: String, _ client: AdminClient) throws {
        var next = from
        var rest = limit ?? .max
        var replayed: Int64 = 0
        var skipped: Int64 = 0
        var remaining: Int64 = 0
        repeat {
            let size = min(rest, 1000)
            var body: [(String, JSONNode)] = [("limit", .integer(Int64(size)))]
            switch next {
            case .offset(let offset): body.append(("from", .integer(offset)))
            case .some: body.append(("from", "earliest"))
            case nil: break
            }
            let answer = try client.post(["v1", "dead-letters", topic, "replay"], .object(body)).json()
            let count = (answer["replayed"]?.wholeNumber ?? 0) + (answer["skipped"]?.wholeNumber ?? 0)
            replayed += answer["replayed"]?.wholeNumber ?? 0
            skipped += answer["skipped"]?.wholeNumber ?? 0
            remaining = answer["remaining"]?.wholeNumber ?? 0
            // From here on the host knows where to go on.
            next = nil
            rest -= Int(count)
            if count == 0 { break }
            if remaining > 0 { Terminal.note("\(replayed) replayed, \(remaining) remaining") }
        } while remaining > 0 && rest > 0
        report(topic, replayed: replayed, skipped: skipped, remaining: remaining)
    }

    private func report(_ topic: String, replayed: Int64, skipped: Int64, remaining: Int64) {
        if arguments.has("json") {
            let answer: JSONNode = [
                "topic": .string(topic), "replayed": .integer(replayed), "skipped": .integer(skipped), "remaining": .integer(remaining),
            ]
            return Terminal.print(JSONWriter.text(answer, layout: .pretty))
        }
        let skips = skipped == 0 ? "" : ", \(skipped) skipped (their topic is not known, or its schema refuses them)"
        Terminal.print("replayed \(replayed) dead letter\(replayed == 1 ? "" : "s")\(skips), \(remaining) remaining")
    }
}
