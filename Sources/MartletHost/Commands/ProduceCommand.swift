import Martlet

/// `martlet produce`: publishes lines as events.
struct ProduceCommand: Command {
    static let name = "produce"
    static let summary = "Publish events to a topic, one a line, from standard input or a file."
    static let usage = "TOPIC [FILE | -] [--key KEY | --key-separator TEXT] [--header NAME=VALUE]... [--text | --envelope] [--json] [--admin URL]"
    static let options: [CommandOption] = [
        .option("key", "KEY", "The key of all events; events of one key keep their order."),
        .option("key-separator", "TEXT", "Each line is a key, this text, and the payload."),
        .option("header", "NAME=VALUE", "A header of all events.", isRepeatable: true),
        .flag("text", "Takes payloads that are not JSON (format `text`); without it, each line must be JSON."),
        .flag("envelope", "Each line is an object with key, headers and payload, as `consume --json` prints it."),
        .json, .admin, .config,
    ]
    static let details = """
        Prints how many events the host has acknowledged, and their offsets. Empty lines are passed over. Lines that were
        acknowledged before a failure stay published.

        examples:
          echo '{"user":"bob","text":"hello"}' | martlet produce notifications --key bob
          martlet produce notifications events.ndjson --header origin=import
          printf 'bob:{"n":1}\\nann:{"n":2}\\n' | martlet produce notifications --key-separator :
          martlet consume notifications --json | martlet produce copy --envelope
        """

    private let topic: String
    private let path: String
    private let headers: [(name: String, value: String)]
    private let separator: [UInt8]?
    private let form: String
    private let arguments: Arguments

    init(_ arguments: Arguments) throws {
        guard (1...2).contains(arguments.positional.count) else {
            throw UsageError("expected TOPIC and at most one file, found \(arguments.positional.count) words")
        }
        topic = arguments.positional[0]
        path = arguments.positional.count == 2 ? arguments.positional[1] : "-"
        separator = arguments.value("key-separator").map { Array($0.utf8) }
        if separator?.isEmpty == true { throw UsageError("--key-separator must not be empty") }
        if separator != nil, arguments.has("key") { throw UsageError("--key and --key-separator exclude each other") }
        headers = try arguments.all("header").map { text throws(UsageError) in
            let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            guard parts.count == 2, !parts[0].isEmpty else { throw UsageError("--header must be NAME=VALUE, found \(text)") }
            return (parts[0], parts[1])
        }
        if arguments.has("envelope") {
            guard separator == nil, headers.isEmpty, !arguments.has("text") else {
                throw UsageError("--envelope brings key, headers and payload: leave --key-separator, --header and --text out")
            }
        }
        form = arguments.has("text") ? "text" : "json"
        self.arguments = arguments
    }

    func run() async throws -> ExitCode {
        let isWrapped = separator != nil || !headers.isEmpty
        var query = [("format", isWrapped || arguments.has("envelope") ? "envelope" : form)]
        if let key = arguments.value("key") { query.append(("key", key)) }
        var upload = EventUpload(try AdminClient(arguments), topic: topic, query: query)
        do {
            try publish(to: &upload, isWrapped: isWrapped)
        } catch {
            if upload.count > 0 { Terminal.printError("\(upload.count) events were published before the failure") }
            throw error
        }
        Terminal.print(arguments.has("json") ? JSONWriter.text(json(upload), layout: .pretty) : text(upload))
        return .done
    }

    private func publish(to upload: inout EventUpload, isWrapped: Bool) throws {
        var input = try LineInput(path)
        if input.isTerminal { Terminal.note("one event a line; end with Ctrl-D") }
        var number = 0
        var noted = 0
        while let line = try input.next() {
            number += 1
            if line.isEmpty { continue }
            if isWrapped { upload.add(try wrapped(line, number), number: number) } else { upload.add(line, number: number) }
            if upload.isFull || !input.isReady { try upload.flush() }
            if upload.count - noted >= 100_000 {
                noted = upload.count
                Terminal.note("\(upload.count) events")
            }
        }
        try upload.flush()
    }

    /// The line as an envelope.
    private func wrapped(_ line: ArraySlice<UInt8>, _ number: Int) throws(ClientError) -> [UInt8] {
        var envelope = [UInt8(ascii: "{")]
        var payload = line
        if let separator {
            guard let end = line.firstRange(of: separator) else {
                throw ClientError("line \(number) has no key: there is no `\(String(decoding: separator, as: UTF8.self))` in it")
            }
            envelope += #""key":"#.utf8
            JSONText.appendQuoted(String(decoding: line[..<end.lowerBound], as: UTF8.self), to: &envelope)
            envelope.append(UInt8(ascii: ","))
            payload = line[end.upperBound...]
        }
        let list = headers.map { header -> JSONNode in ["name": .string(header.name), "value": .string(header.value)] }
        envelope += #""headers":"#.utf8 + JSONWriter.bytes(.array(list))
        if form == "json" {
            envelope += #","payload":"#.utf8 + Array(payload)
        } else {
            let bytes = Bytes(Array(payload))
            envelope += (bytes.isText ? #","payload_text":"# : #","payload_base64":"#).utf8
            JSONText.appendQuoted(bytes.isText ? bytes.string : Base64.encode(bytes), to: &envelope)
        }
        envelope.append(UInt8(ascii: "}"))
        return envelope
    }

    private func text(_ upload: EventUpload) -> String {
        let lines = upload.ranges.sorted { $0.partition < $1.partition }.map { range in
            let offsets = range.first == range.last ? "offset \(range.first)" : "offsets \(range.first) to \(range.last)"
            return "\n  partition \(range.partition): \(range.count) at \(offsets)"
        }
        return "published \(upload.count) event\(upload.count == 1 ? "" : "s") to \(topic)" + lines.joined()
    }

    private func json(_ upload: EventUpload) -> JSONNode {
        let partitions = upload.ranges.sorted { $0.partition < $1.partition }.map { range -> JSONNode in
            [
                "partition": .integer(range.partition), "count": .integer(Int64(range.count)), "first": .integer(range.first),
                "last": .integer(range.last),
            ]
        }
        return ["topic": .string(topic), "count": .integer(Int64(upload.count)), "partitions": .array(partitions)]
    }
}
