import JQPlugin
import Martlet
import MartletTesting
import Pipelines
import Testing

@Suite struct JQTransformTests {
    private func transform(_ program: String, limit: Int = 1000) throws -> JQTransform {
        let json = "{\"program\": \(JSONText.quoted(program)), \"split_limit_events\": \(limit)}"
        return try TestHost(payloads: SimdjsonPayloadReader()).make(JQTransform.self, json)
    }

    private func record(_ payload: String, offset: Offset = 0, key: Bytes? = "k-1") -> Record {
        Record(
            topic: "likes", partition: 1, offset: offset,
            event: Event(
                id: "id-1", key: key, headers: [Header("trace", "t-1"), Header("trace", "t-2")], payload: Bytes(payload),
                timestamp: 1_700_000_000_123))
    }

    /// The payloads of the result, or its error's code and message.
    private func outcome(_ result: TransformResult) -> [String] {
        switch result {
        case .keep(let record): [record.event.payload.string]
        case .drop: []
        case .split(let records): records.map(\.event.payload.string)
        case .fail(let error): ["\(error.kind.rawValue): \(error)"]
        }
    }

    private func run(_ program: String, _ payload: String, limit: Int = 1000) async throws -> [String] {
        let results = try await transform(program, limit: limit).apply(to: [record(payload)])
        #expect(results.count == 1)
        return outcome(results[0])
    }

    @Test(arguments: [
        ("select(.actor != .recipient)", #"{"actor":"a","recipient":"a"}"#, []),
        ("select(.actor != .recipient)", #"{"actor": "a","recipient":"b"}"#, [#"{"actor": "a","recipient":"b"}"#]),
        (".actor", #"{"actor":"a"}"#, [#""a""#]), (".n += 1", #"{"n":1}"#, [#"{"n":2}"#]),
        (".tags[]", #"{"tags":["a","b","c"]}"#, [#""a""#, #""b""#, #""c""#]), ("empty", "{}", []),
        (".", #"{"id": 12345678901234567890, "x":1.0}"#, [#"{"id": 12345678901234567890, "x":1.0}"#]),
        (".,.", "[1, 2]", ["[1, 2]", "[1,2]"]), ("# all of it\n.", "{ }", ["{ }"]), ("def f: .a; f | f", #"{"a":{"a":5}}"#, ["5"]),
        ("{input: .a, \"debug\": 1}", #"{"a":2}"#, [#"{"input":2,"debug":1}"#]), (".x", #"{"x":"é\"🐦"}"#, [#""é\"🐦""#]),
        ("halt", "{}", []), ("1, halt, 2", "{}", ["1"]), ("null", "{}", ["null"]),
    ])
    func outputsDecideWhatBecomesOfARecord(program: String, payload: String, expected: [String]) async throws {
        #expect(try await run(program, payload) == expected)
    }

    @Test func variablesAreTheRecords() async throws {
        let program = #"{id: $id, key: $key, topic: $topic, at: $timestamp, trace: $headers.trace, p: .x, s: "\($id)!"}"#
        #expect(
            try await run(program, #"{"x":1}"#)
                == [#"{"id":"id-1","key":"k-1","topic":"likes","at":1700000000123,"trace":"t-1","p":1,"s":"id-1!"}"#])
        let keyless = try await transform("$key").apply(to: [record("{}", key: nil)])
        #expect(outcome(keyless[0]) == ["null"])
        #expect(try await run("select($key != null)", #"{"big": 12345678901234567890}"#) == [#"{"big": 12345678901234567890}"#])
    }

    @Test func onlyThePayloadChanges() async throws {
        let results = try await transform(".a, .b").apply(to: [record(#"{"a":1,"b":2}"#, offset: 42)])
        guard case .split(let records) = results[0] else { return #expect(Bool(false), "not split: \(results)") }
        #expect(records.map(\.offset) == [42, 42])
        #expect(records.allSatisfy { $0.event.id == "id-1" && $0.event.key == "k-1" && $0.event.headers.count == 2 })
    }

    @Test(arguments: [
        (".a.b", #"{"a":5}"#, #"permanent: the jq program failed: Cannot index number with string "b" [jq.failed]"#),
        ("error(\"no \" + .a)", #"{"a":"way"}"#, "permanent: the jq program failed: no way [jq.failed]"),
        ("error({code: 5})", "{}", #"permanent: the jq program failed: {"code":5} [jq.failed]"#),
        ("1, error(\"late\")", "{}", "permanent: the jq program failed: late [jq.failed]"),
        ("\"bye\" | halt_error", "{}", "permanent: the jq program failed: bye [jq.failed]"),
        ("repeat(1)", "{}", "permanent: the jq program failed: more than 3 outputs for one record [jq.failed]"),
        ("[1114112] | implode", "{}", "permanent: the jq program failed: implode needs an array of code points [jq.failed]"),
        (".", "{", "permanent: the payload cannot be read: not JSON: expected a key in quotes at byte 1, found the end [jq.bad_payload]"),
        ("select(.a != 1)", #"{"a":1,"a":2}"#, #"permanent: the payload cannot be read: the key "a" is there twice, again at byte 7 [jq.bad_payload]"#),
    ])
    func failuresAreTheRecordsOwn(program: String, payload: String, expected: String) async throws {
        #expect(try await run(program, payload, limit: 3) == [expected])
    }

    @Test func aFailureLeavesTheOthersAlone() async throws {
        let transform = try transform("if .bad then error(\"bad\") else .n + 1 end")
        let batch = [#"{"n":1}"#, #"{"bad":true}"#, "nope", #"{"n":2}"#].map { record($0) }
        let outcomes = try await transform.apply(to: batch).map { outcome($0) }
        #expect(outcomes[0] == ["2"])
        #expect(outcomes[1] == ["permanent: the jq program failed: bad [jq.failed]"])
        #expect(outcomes[2].first?.hasSuffix("[jq.bad_payload]") == true)
        #expect(outcomes[3] == ["3"])
    }

    @Test func implodeStillWorks() async throws {
        #expect(try await run("[97, 233, 128038] | implode", "{}") == [#""aé🐦""#])
    }

    @Test func environmentIsHidden() async throws {
        #expect(try await run("$ENV", "1") == ["{}"])
        #expect(try await run("env.PATH", "1") == ["null"])
    }

    @Test func longMessagesAreClipped() async throws {
        let outcome = try await run("error(\"x\" * 5000)", "{}")
        #expect(outcome.first.map { $0.count < 300 } == true)
    }

    @Test(arguments: [
        (".a |", "1:14", "the jq program does not compile: syntax error, unexpected end of the program (line 1 of the program)"),
        (".a |\n.b ^ 2", "1:20", "the jq program does not compile: syntax error, unexpected INVALID_CHARACTER (line 2 of the program)"),
        ("selekt(.a)", "1:14", "the jq program does not compile: selekt/1 is not defined (line 1 of the program)"),
        ("$idd", "1:14", "the jq program does not compile: $idd is not defined (line 1 of the program)"),
        (". | input", "1:18", "`input` cannot stand in this jq program: a transform sees one record at a time"),
        ("import \"a\" as a; .", "1:14", "`import` cannot stand in this jq program: a program cannot read other files"),
        ("\"\\(stderr)\"", "1:19", "`stderr` cannot stand in this jq program: a program cannot write anything but its results"),
        (".a) | (.b", "1:16", "`)` cannot stand in this jq program: it closes nothing"),
    ])
    func badProgramsAreConfigProblems(program: String, place: String, message: String) {
        let error = #expect(throws: ConfigError.self) { try transform(program) }
        #expect(error?.problems.map { "\($0)" } == ["config.json:\(place): program: \(message)"])
        #expect(error?.problems.map(\.code) == ["jq.program"])
    }

    @Test func batchesRunAtTheSameTime() async throws {
        let transform = try transform(".n + 1")
        let sums = try await withThrowingTaskGroup(of: Int.self) { group in
            for task in 0..<16 {
                group.addTask {
                    let results = try await transform.apply(to: (0..<50).map { record(#"{"n":\#(task * 50 + $0)}"#) })
                    return results.enumerated().filter { outcome($0.element) == ["\(task * 50 + $0.offset + 1)"] }.count
                }
            }
            return try await group.reduce(0, +)
        }
        #expect(sums == 800)
    }

    @Test func readmeShowsAWorkingConfig() async throws {
        let transform = try TestHost(payloads: SimdjsonPayloadReader())
            .make(JQTransform.self, try ReadmeExample.json(of: "JQ"))
        let results = try await transform.apply(to: [record(#"{"actor":"a","recipient":"b","text":"HI"}"#)])
        #expect(outcome(results[0]) == [#"{"actor":"a","recipient":"b","text":"hi"}"#])
    }
}
