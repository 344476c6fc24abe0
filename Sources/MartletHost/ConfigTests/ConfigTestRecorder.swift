import Martlet
import Synchronization

/// What reaches the modules that stand in for others in a config test, the streams that it opened, and the way into sources
/// that wait for inputs.
final class ConfigTestRecorder: Sendable {
    private struct State {
        var sinks: [String: [JSONNode]] = [:]
        var channels: [String: [JSONNode]] = [:]
        var pubSub: [String: [JSONNode]] = [:]
        var intakes: [String: any Intake] = [:]
        var streams: [String: ConfigTestStream] = [:]
    }

    private let state = Mutex(State())

    func add(_ records: [Record], toSink group: String) {
        state.withLock { $0.sinks[group, default: []] += records.map(\.testJSON) }
    }

    func add(_ messages: [Message], toChannel channel: String) {
        state.withLock { $0.channels[channel, default: []] += messages.map(\.record.testJSON) }
    }

    func add(_ messages: [Message], on channel: String, of bus: String) {
        state.withLock { state in
            state.pubSub[bus, default: []] += messages.map { message in
                guard case .object(let object) = message.record.testJSON.kind else { return .null }
                return JSONNode(.object(JSONObject(members: [JSONObject.Member(key: "channel", value: .string(channel))] + object.members)))
            }
        }
    }

    func open(_ source: String, _ intake: any Intake) {
        state.withLock { $0.intakes[source] = intake }
    }

    func add(_ stream: ConfigTestStream, named name: String) {
        state.withLock { $0.streams[name] = stream }
    }

    /// By the names that the test gave them.
    var streams: [String: ConfigTestStream] { state.withLock { $0.streams } }

    func intake(of source: String) -> (any Intake)? { state.withLock { $0.intakes[source] } }
    func sink(_ group: String) -> [JSONNode] { state.withLock { $0.sinks[group] ?? [] } }
    func channel(_ name: String) -> [JSONNode] { state.withLock { $0.channels[name] ?? [] } }
    func pubSub(_ bus: String) -> [JSONNode] { state.withLock { $0.pubSub[bus] ?? [] } }
}

extension Record {
    /// The record as a config test sees it. A payload that is no JSON is a string.
    var testJSON: JSONNode {
        let problems = ConfigProblems(file: "")
        let payload = JSONReader.read(event.payload.withUnsafeBytes { Array($0) }, problems: problems)
        return .object([
            ("topic", .string(topic.text)), ("partition", .integer(Int64(partition))), ("offset", .integer(offset)),
            ("id", .string(event.id.string)), ("key", event.key.map { .string($0.string) } ?? .null),
            ("headers", .object(event.headers.map { ($0.name, .string($0.value.string)) })),
            ("payload", payload ?? .string(event.payload.string)), ("timestamp", .integer(event.timestamp)),
        ])
    }
}
