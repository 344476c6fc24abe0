import Martlet

/// Reads an event that is written with its key and headers:
/// `{"key":…,"id":…,"timestamp":…,"headers":…,"payload":…}`, the same names as ``RecordJSON`` writes.
///
/// The place of a record (`topic`, `partition`, `offset`) may be there and is not looked at, so that what was consumed
/// can be produced.
struct EnvelopeReader {
    private static let ignored: Set<String> = ["topic", "partition", "offset"]
    private static let keys = [
        "key", "key_base64", "id", "timestamp", "headers", "payload", "payload_text", "payload_base64", "topic", "partition",
        "offset",
    ]

    /// - Parameters:
    ///   - line: one JSON object.
    ///   - number: its line, for messages.
    func read(_ line: Bytes, number: Int) throws(AdminProblem) -> Event {
        func wrong(_ message: String) -> AdminProblem { .badRequest("line \(number): \(message)") }
        let problems = ConfigProblems(file: "line \(number)")
        guard let node = JSONReader.read(line.withUnsafeBytes { Array($0) }, problems: problems), problems.isEmpty else {
            throw .badRequest(problems.text)
        }
        guard case .object(let object) = node.kind else { throw wrong("an envelope is a JSON object with a `payload`") }
        var event = Event(id: .empty, key: nil, payload: .empty, timestamp: Timestamp.now())
        var payloads = 0
        for member in object.members {
            guard !Self.ignored.contains(member.key) else { continue }
            guard try read(member, into: &event, wrong) else { throw unknown(member.key, wrong) }
            if member.key.hasPrefix("payload") { payloads += 1 }
        }
        guard payloads == 1 else {
            throw wrong("an envelope has one of `payload`, `payload_text` and `payload_base64`, found \(payloads)")
        }
        if event.id.isEmpty { event.id = EventID.generate() }
        return event
    }

    /// False for a key that means nothing here.
    private func read(
        _ member: JSONObject.Member, into event: inout Event, _ wrong: (String) -> AdminProblem
    ) throws(AdminProblem) -> Bool {
        let value = member.value
        if case .null = value.kind, member.key != "payload" { return true }
        switch member.key {
        case "key": event.key = try text(value, "key", wrong)
        case "key_base64": event.key = try binary(value, "key_base64", wrong)
        case "id": event.id = try text(value, "id", wrong)
        case "timestamp":
            guard case .number(let number) = value.kind, let time = number.int64, time >= 0 else {
                throw wrong("`timestamp` is a whole number of milliseconds since the epoch, found \(value.found)")
            }
            event.timestamp = time
        case "headers": event.headers = try headers(value, wrong)
        case "payload": event.payload = Bytes(JSONWriter.bytes(value))
        case "payload_text": event.payload = try text(value, "payload_text", wrong)
        case "payload_base64": event.payload = try binary(value, "payload_base64", wrong)
        default: return false
        }
        return true
    }

    private func unknown(_ key: String, _ wrong: (String) -> AdminProblem) -> AdminProblem {
        let guess = Suggestion.question(for: key, among: Self.keys)
        return wrong("unknown key `\(key)` in an envelope\(guess) (keys: \(Self.keys.joined(separator: ", ")))")
    }

    /// An object of names and texts, or a list of `{"name":…,"value":…}`, in which a name may come again.
    private func headers(_ node: JSONNode, _ wrong: (String) -> AdminProblem) throws(AdminProblem) -> [Header] {
        var headers: [Header] = []
        switch node.kind {
        case .object(let object):
            for member in object.members {
                headers.append(Header(member.key, try text(member.value, "headers.\(member.key)", wrong)))
            }
        case .array(let items):
            for item in items {
                guard let name = item["name"]?.rawText else {
                    throw wrong("each of `headers` is an object with a `name` and a `value`, found \(item.found)")
                }
                if let encoded = item["value_base64"] {
                    headers.append(Header(name, try binary(encoded, "headers.\(name)", wrong)))
                } else {
                    headers.append(Header(name, try text(item["value"] ?? .null, "headers.\(name)", wrong)))
                }
            }
        default: throw wrong("`headers` is an object, or a list of `name` and `value`, found \(node.found)")
        }
        return headers
    }

    private func text(_ node: JSONNode, _ name: String, _ wrong: (String) -> AdminProblem) throws(AdminProblem) -> Bytes {
        guard let text = node.rawText else { throw wrong("`\(name)` is a string, found \(node.found)") }
        return Bytes(text)
    }

    private func binary(_ node: JSONNode, _ name: String, _ wrong: (String) -> AdminProblem) throws(AdminProblem) -> Bytes {
        guard let text = node.rawText, let bytes = Base64.decode(text) else {
            throw wrong("`\(name)` is a string in base64, found \(node.found)")
        }
        return bytes
    }
}

extension JSONNode {
    /// The text of a string as it is, where `$` means nothing; nil for other kinds.
    var rawText: String? {
        if case .string(let text) = kind { text } else { nil }
    }

    /// The value of a whole number; nil for other kinds.
    var wholeNumber: Int64? {
        if case .number(let number) = kind { number.int64 } else { nil }
    }
}
