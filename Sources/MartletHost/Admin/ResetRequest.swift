import Martlet
import Pipelines

/// The body of `POST /v1/groups/{group}/reset`:
/// `{"to": "earliest" | "latest" | 42 | {"time_ms": …} | {"by_ms": …}, "topic": …, "partition": …, "execute": true}`.
struct ResetRequest: Sendable {
    private static let keys = ["to", "topic", "partition", "execute"]
    private static let expected =
        "`to` must be \"earliest\", \"latest\", an offset, {\"time_ms\": milliseconds since the epoch} or {\"by_ms\": milliseconds back from now}"

    let target: GroupResetTarget
    /// Only this topic of the group; nil for all.
    let topic: TopicName?
    /// Only this partition; nil for all.
    let partition: PartitionID?
    /// Whether the offsets are set; otherwise the answer says what would be.
    let isExecuted: Bool

    /// - Parameter now: milliseconds since the epoch.
    init(_ body: JSONObject, now: Int64) throws(AdminProblem) {
        if let key = body.keys.first(where: { !Self.keys.contains($0) }) {
            let guess = Suggestion.question(for: key, among: Self.keys)
            throw .badRequest("unknown key `\(key)`\(guess) (keys: \(Self.keys.joined(separator: ", ")))")
        }
        guard let to = body["to"] else { throw .badRequest(Self.expected) }
        target = try Self.target(to, now: now)
        if let node = body["topic"] {
            guard let text = node.rawText else { throw .badRequest("`topic` is a string, found \(node.found)") }
            topic = TopicName(text)
        } else {
            topic = nil
        }
        if let node = body["partition"] {
            guard let number = node.wholeNumber.flatMap(PartitionID.init(exactly:)), number >= 0 else {
                throw .badRequest("`partition` is the number of a partition, found \(node.found)")
            }
            partition = number
        } else {
            partition = nil
        }
        switch body["execute"]?.kind {
        case nil: isExecuted = false
        case .bool(let value)?: isExecuted = value
        default: throw .badRequest("`execute` is true or false")
        }
    }

    private static func target(_ node: JSONNode, now: Int64) throws(AdminProblem) -> GroupResetTarget {
        switch node.kind {
        case .string("earliest"): return .earliest
        case .string("latest"): return .latest
        case .number:
            if let offset = node.wholeNumber, offset >= 0 { return .offset(offset) }
        case .object(let object) where object.members.count == 1:
            guard let value = object.members[0].value.wholeNumber, value >= 0 else { break }
            if object.members[0].key == "time_ms" { return .time(value) }
            if object.members[0].key == "by_ms" { return .time(max(0, now - value)) }
        default: break
        }
        throw .badRequest("\(expected), found \(JSONWriter.text(node))")
    }
}
