import MapPlugin
import Martlet
import MartletTesting
import Pipelines
import Testing

@Suite struct MapTransformTests {
    private let record = Record(
        topic: "likes", partition: 1, offset: 42,
        event: Event(
            id: "id-1", key: "k-1", headers: [Header("trace", "t-1"), Header("old", "x")],
            payload: #"{"actor":"ann","post_owner":"bob","post_id":12345678901234567890,"none":null}"#, timestamp: 5))

    private func map(_ config: String, _ record: Record) async throws -> TransformResult {
        let transform = try TestHost(payloads: SimdjsonPayloadReader()).make(MapTransform.self, config)
        return try await transform.apply(to: [record])[0]
    }

    private func kept(_ config: String) async throws -> Record {
        guard case .keep(let record) = try await map(config, record) else {
            throw ModuleError.permanent("test.not_kept", "the record was not kept")
        }
        return record
    }

    @Test func payloadIsBuiltAndTheRestStays() async throws {
        let mapped = try await kept(#"{"payload": {"to": "${/post_owner}", "id": "${/post_id}", "t": "${/actor} & ${@key}"}}"#)
        #expect(mapped.event.payload == #"{"to":"bob","id":12345678901234567890,"t":"ann & k-1"}"#)
        #expect(mapped.event.key == "k-1")
        #expect(mapped.event.headers == record.event.headers)
        #expect(mapped.event.id == "id-1")
        #expect(mapped.offset == 42)
    }

    @Test func keyIsReplaced() async throws {
        let mapped = try await kept(#"{"key": "user-${/post_owner}"}"#)
        #expect(mapped.event.key == "user-bob")
        #expect(mapped.event.payload == record.event.payload)
        #expect(try await kept(#"{"key": "${/none}"}"#).event.key == nil)
    }

    @Test func headersAreSetAndRemoved() async throws {
        let mapped = try await kept(#"{"headers": {"trace": "${@header.trace}+", "old": "${/none}", "n": "${/post_owner}"}}"#)
        #expect(mapped.event.headers == [Header("trace", "t-1+"), Header("n", "bob")])
    }

    @Test func whatIsMissingIsTheRecordsFault() async throws {
        guard case .fail(let error) = try await map(#"{"payload": {"x": "${/gone}"}}"#, record) else {
            return #expect(Bool(false), "it did not fail")
        }
        #expect(error.kind == .permanent)
        #expect(error.code == "template.missing_field")
        #expect(try await kept(#"{"payload": {"x": "${/gone:-0}"}}"#).event.payload == #"{"x":0}"#)
    }

    @Test(arguments: [
        ("{}", ["config.json:1:1: payload: a map needs at least one of `payload`, `key` and `headers`"]),
        (
            #"{"key": "${@kye}", "payload": {"a": ["x ${b}"]}}"#,
            [
                "config.json:1:10: key: `${@kye}` is no variable (did you mean `${@key}`?); valid here: \(choices)",
                "config.json:1:41: payload.a[0]: `${b}` is no template (did you mean `${/b}`?); valid here: \(choices); write `$${` for a literal `${`",
            ]
        ),
    ])
    func badConfigsAreReportedInFull(config: String, problems: [String]) {
        let error = #expect(throws: ConfigError.self) {
            try TestHost(payloads: SimdjsonPayloadReader()).make(MapTransform.self, config)
        }
        #expect(error?.problems.map { "\($0)" } == problems)
    }

    static let choices =
        "`${/field}`, `${@payload}`, `${@id}`, `${@key}`, `${@topic}`, `${@partition}`, `${@offset}`, `${@timestamp}`, `${@header.NAME}`"

    @Test func readmeShowsAWorkingConfig() async throws {
        let mapped = try await kept(try ReadmeExample.json(of: "Map"))
        #expect(
            mapped.event.payload
                == #"{"type":"like","recipient":"bob","post_id":12345678901234567890,"likes":1,"text":"ann liked your post"}"#)
        #expect(mapped.event.key == "bob")
        #expect(mapped.event.header("actor") == "ann")
    }
}
