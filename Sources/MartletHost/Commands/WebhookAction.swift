import Martlet

/// What a `martlet webhooks` command asks the host.
enum WebhookAction {
    case get([String], query: [(String, String)])
    case post([String], JSONNode?)
    case patch([String], JSONNode)
    case delete(String)
    case replay([(String, JSONNode)])

    private static let verbs = ["endpoints", "deliveries", "attempts", "replay"]
    private static let endpointVerbs = ["list", "show", "create", "change", "pause", "resume", "delete", "rotate-secret"]

    /// - Parameter now: milliseconds since the epoch.
    init(_ arguments: Arguments, now: Int64) throws(UsageError) {
        let words = arguments.positional
        let verb = words.first ?? "endpoints"
        switch verb {
        case "endpoints": self = try Self.endpoints(Array(words.dropFirst()), arguments)
        case "deliveries":
            guard words.count == 1 else { throw UsageError("`deliveries` takes no name; narrow it with --endpoint") }
            let query = try Self.query(arguments, ["endpoint", "state", "limit"]) + Self.times(arguments, now)
            self = .get(["deliveries"], query: query)
        case "attempts":
            guard words.count == 1 else { throw UsageError("`attempts` takes no name; narrow it with --endpoint or --delivery") }
            self = .get(["attempts"], query: try Self.query(arguments, ["endpoint", "delivery", "limit"]) + Self.times(arguments, now))
        case "replay": self = .replay(try Self.replay(Array(words.dropFirst()), arguments, now))
        default:
            let guess = Suggestion.question(for: verb, among: Self.verbs)
            throw UsageError("unknown action `\(verb)`\(guess) (actions: \(Self.verbs.joined(separator: ", ")))")
        }
    }

    private static func endpoints(_ words: [String], _ arguments: Arguments) throws(UsageError) -> WebhookAction {
        let verb = words.first ?? "list"
        guard endpointVerbs.contains(verb) else {
            let guess = Suggestion.question(for: verb, among: endpointVerbs)
            throw UsageError("unknown action `endpoints \(verb)`\(guess) (actions: \(endpointVerbs.joined(separator: ", ")))")
        }
        if verb == "list" { return .get(["endpoints"], query: []) }
        guard words.count == 2 else { throw UsageError("expected `endpoints \(verb) \(verb == "create" ? "URL" : "NAME")`") }
        let name = words[1]
        switch verb {
        case "show": return .get(["endpoints", name], query: [])
        case "create":
            return .post(["endpoints"], .object([("url", .string(name))] + (try fields(arguments)) + secret(arguments)))
        case "change": return .patch(["endpoints", name], .object(try fields(arguments)))
        case "delete": return .delete(name)
        case "rotate-secret":
            var body = secret(arguments)
            if arguments.has("keep-hours") {
                body.append(("keep_hours", .integer(Int64(try arguments.integer("keep-hours", default: 24, in: 0...8_760)))))
            }
            return .post(["endpoints", name, "secret"], .object(body))
        default: return .post(["endpoints", name, verb], nil)
        }
    }

    private static func fields(_ arguments: Arguments) throws(UsageError) -> [(String, JSONNode)] {
        var fields: [(String, JSONNode)] = []
        for option in ["name", "url", "description"] {
            if let text = arguments.value(option) { fields.append((option, .string(text))) }
        }
        if let types = arguments.value("event-types") {
            fields.append(("event_types", .array(types.split(separator: ",").map { .string(String($0)) })))
        }
        for (option, key) in [("max-in-flight", "max_in_flight"), ("max-per-second", "max_per_second")] where arguments.has(option) {
            fields.append((key, .integer(Int64(try arguments.integer(option, default: 1, in: 1...1_000_000)))))
        }
        return fields
    }

    private static func secret(_ arguments: Arguments) -> [(String, JSONNode)] {
        ["secret", "algorithm"].compactMap { option in arguments.value(option).map { (option, .string($0)) } }
    }

    private static func query(_ arguments: Arguments, _ options: [String]) -> [(String, String)] {
        options.compactMap { option in arguments.value(option).map { (option, $0) } }
    }

    private static func times(_ arguments: Arguments, _ now: Int64) throws(UsageError) -> [(String, String)] {
        var times: [(String, String)] = []
        for option in ["since", "until"] {
            if let time = try time(arguments, option, now) { times.append((option, String(time))) }
        }
        return times
    }

    private static func time(_ arguments: Arguments, _ option: String, _ now: Int64) throws(UsageError) -> Int64? {
        guard let text = arguments.value(option) else { return nil }
        if let ago = DurationText.parse(text) { return max(0, now - ago) }
        if let time = TimeText.parse(text) { return time }
        throw UsageError("--\(option) must be \(TimeText.expected), or \(DurationText.expected), found \(text)")
    }

    private static func replay(_ words: [String], _ arguments: Arguments, _ now: Int64) throws(UsageError) -> [(String, JSONNode)] {
        if let word = words.first {
            guard words.count == 1, let id = Int64(word), id > 0 else { throw UsageError("expected `replay ID`, found `replay \(word)`") }
            return [("delivery", .integer(id))]
        }
        guard let since = try time(arguments, "since", now) else {
            throw UsageError("`replay` needs the id of a delivery, or --since TIME")
        }
        var body: [(String, JSONNode)] = [("since", .integer(since))]
        if let until = try time(arguments, "until", now) { body.append(("until", .integer(until))) }
        for option in ["endpoint", "state"] {
            if let text = arguments.value(option) { body.append((option, .string(text))) }
        }
        return body
    }
}
