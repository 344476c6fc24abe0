import Martlet

/// The options of `martlet groups reset` as the admin API's request, and its answer as text.
struct GroupReset: Sendable {
    let body: JSONNode

    init(_ arguments: Arguments) throws {
        var members: [(String, JSONNode)] = []
        switch (arguments.value("to"), arguments.value("by")) {
        case (let to?, nil): members.append(("to", try Self.place(to)))
        case (nil, let by?):
            guard let milliseconds = DurationText.parse(by) else {
                throw UsageError("--by must be \(DurationText.expected), found \(by)")
            }
            members.append(("to", ["by_ms": .integer(milliseconds)]))
        case (nil, nil): throw UsageError("say where to: --to earliest, latest, OFFSET or @TIME, or --by 2h")
        case (.some, .some): throw UsageError("--to and --by exclude each other")
        }
        if let topic = arguments.value("topic") { members.append(("topic", .string(topic))) }
        if arguments.has("partition") {
            members.append(("partition", .integer(Int64(try arguments.integer("partition", default: 0, in: 0...Int(Int32.max))))))
        }
        members.append(("execute", .bool(arguments.has("execute"))))
        body = .object(members)
    }

    private static func place(_ text: String) throws(UsageError) -> JSONNode {
        if text == "earliest" || text == "latest" { return .string(text) }
        if let offset = Int64(text), offset >= 0 { return .integer(offset) }
        if text.hasPrefix("@"), let time = TimeText.parse(String(text.dropFirst())) { return ["time_ms": .integer(time)] }
        throw UsageError("--to must be earliest, latest, an offset or @TIME (\(TimeText.expected)), found \(text)")
    }

    /// What the reset does, or did, partition by partition.
    func text(_ answer: JSONNode) -> String {
        let rows = answer["partitions"]?.items.map { partition -> [String] in
            let change: String
            if let from = partition["from"]?.wholeNumber, let to = partition["to"]?.wholeNumber {
                change = to < from ? "\(from - to) again" : to > from ? "\(to - from) skipped" : "none"
            } else {
                change = "-"
            }
            return [
                partition.text("topic"), partition.text("partition"), partition.text("from"), partition.text("to"), change,
                partition.text("lag"),
            ]
        }
        var table = Terminal.table(["TOPIC", "PARTITION", "FROM", "TO", "CHANGE", "LAG AFTER"], rows ?? [])
        let elsewhere = answer["elsewhere"]?.items.compactMap(\.rawText) ?? []
        if !elsewhere.isEmpty {
            table += "\n\nOther hosts read \(elsewhere.joined(separator: ", ")): pause and reset the group there too, with `--admin`."
        }
        guard case .bool(true)? = answer["executed"]?.kind else {
            return table + "\n\nNothing was changed. Add --execute to set these offsets (the group must be paused)."
        }
        return table + "\n\n\(answer.text("group")) was reset; `martlet groups resume \(answer.text("group"))` lets it go on."
    }
}
