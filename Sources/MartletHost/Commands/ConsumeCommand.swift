import Martlet

/// `martlet consume`: prints a topic's records. It belongs to no group and moves no offset.
struct ConsumeCommand: Command {
    static let name = "consume"
    static let summary = "Print the records of a topic, and follow it."
    static let usage = "TOPIC [--from PLACE] [--partition N] [--limit N] [--follow] [--json | --payload] [--admin URL]"
    static let options: [CommandOption] = [
        .option("from", "PLACE", "earliest, latest, an offset, -N for the last N of each partition, or @TIME (RFC 3339 or milliseconds)."),
        .option("partition", "N", "Only this partition."),
        .option("limit", "N", "Stop after so many records."),
        .flag("follow", "Go on at the end: print records as they come, until interrupted."),
        .flag("json", "Print each record as one line of JSON, with key, headers and payload."),
        .flag("payload", "Print payloads only, one a line."),
        .admin, .config,
    ]
    static let details = """
        Without --from it begins with the earliest record, with --follow at the end. Each partition comes in its order;
        between partitions older records come first.

        examples:
          martlet consume notifications
          martlet consume notifications --from -10 --follow
          martlet consume notifications --from @2026-01-31T12:00:00Z --limit 100 --json
          martlet consume notifications --partition 2 --from 42 --limit 1 --payload
        """

    private let topic: String
    private let from: OffsetText
    private let partition: Int?
    private let limit: Int?
    private let arguments: Arguments

    init(_ arguments: Arguments) throws {
        guard arguments.positional.count == 1 else {
            throw UsageError("expected one TOPIC, found \(arguments.positional.count) words")
        }
        topic = arguments.positional[0]
        from = try arguments.place("from") ?? (arguments.has("follow") ? .latest : .earliest)
        partition = arguments.has("partition") ? try arguments.integer("partition", default: 0, in: 0...Int(Int32.max)) : nil
        limit = arguments.has("limit") ? try arguments.integer("limit", default: 0, in: 1...Int.max) : nil
        if arguments.has("json"), arguments.has("payload") { throw UsageError("--json and --payload exclude each other") }
        self.arguments = arguments
    }

    func run() async throws -> ExitCode {
        let client = try AdminClient(arguments)
        let download = RecordDownload(
            client: client, path: ["v1", "topics", topic, "records"], from: from, partition: partition, limit: limit,
            ends: arguments.has("follow") ? nil : try RecordDownload.ends(of: topic, client))
        let isJSON = arguments.has("json")
        let isPayload = arguments.has("payload")
        try await download.run { line in
            if isJSON { return Terminal.printBytes(line + [UInt8(ascii: "\n")]) }
            let record = try RecordText(line)
            return Terminal.printBytes(isPayload ? record.payload + [UInt8(ascii: "\n")] : Array((record.line + "\n").utf8))
        }
        return .done
    }
}

extension Arguments {
    /// A place in a topic, with times as people write them.
    func place(_ option: String) throws(UsageError) -> OffsetText? {
        guard let text = value(option) else { return nil }
        if text.hasPrefix("@"), let time = TimeText.parse(String(text.dropFirst())) { return .time(time) }
        guard let place = OffsetText(text) else {
            throw UsageError(
                "--\(option) must be earliest, latest, an offset, -N for the last N, or @TIME (\(TimeText.expected)), found \(text)")
        }
        return place
    }
}
