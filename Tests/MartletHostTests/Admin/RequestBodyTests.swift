import Martlet
import Pipelines
import Testing

@testable import MartletHost

/// What the admin API takes in bodies.
@Suite struct RequestBodyTests {
    private func envelope(_ json: String) throws(AdminProblem) -> Event {
        try EnvelopeReader().read(Bytes(json), number: 3)
    }

    private func problem(_ body: () throws(AdminProblem) -> Void) -> String? {
        do {
            try body()
            return nil
        } catch {
            return "\(error.status): \(error.detail)"
        }
    }

    @Test func anEnvelope() throws {
        let event = try envelope(
            #"{"key":"k","id":"i","timestamp":5,"headers":{"a":"1","b":"$${x}"},"payload":{"n": 1e2},"topic":"t","offset":9}"#)
        #expect(event.key == "k" && event.id == "i" && event.timestamp == 5)
        #expect(event.headers == [Header("a", "1"), Header("b", "$${x}")])
        #expect(event.payload == #"{"n":1e2}"#)
    }

    @Test func anEnvelopeOfBytes() throws {
        let event = try envelope(
            #"{"key_base64":"/w==","headers":[{"name":"a","value":"1"},{"name":"a","value_base64":"/w=="}],"payload_base64":"/w=="}"#)
        #expect(event.key == Bytes([255]) && event.payload == Bytes([255]))
        #expect(event.headers == [Header("a", "1"), Header("a", Bytes([255]))])
        #expect(event.id.count == 36)
        #expect(try envelope(#"{"key":null,"payload":null}"#).payload == "null")
        #expect(try envelope(#"{"payload_text":"a\"b"}"#).payload == #"a"b"#)
    }

    @Test func wrongEnvelopes() {
        func wrong(_ json: String) -> String? { problem { () throws(AdminProblem) in _ = try envelope(json) } }
        #expect(wrong("[]") == "400: line 3: an envelope is a JSON object with a `payload`")
        #expect(wrong("{}") == "400: line 3: an envelope has one of `payload`, `payload_text` and `payload_base64`, found 0")
        #expect(wrong(#"{"payload":1,"payload_text":"x"}"#)?.hasSuffix("found 2") == true)
        #expect(
            wrong(#"{"paylod":1}"#)?.hasPrefix("400: line 3: unknown key `paylod` in an envelope; did you mean `payload`?") == true)
        #expect(wrong(#"{"payload":1,"key":5}"#) == "400: line 3: `key` is a string, found 5")
        #expect(wrong(#"{"payload":1,"timestamp":-1}"#)?.contains("`timestamp` is a whole number of milliseconds") == true)
        #expect(wrong(#"{"payload":1,"headers":{"a":1}}"#) == "400: line 3: `headers.a` is a string, found 1")
        #expect(wrong(#"{"payload_base64":"%"}"#)?.contains("is a string in base64") == true)
        #expect(wrong("{").map { $0.hasPrefix("400: line 3") } == true)
    }

    @Test func linesAndTheirNumbers() throws {
        let json = RequestEvents(form: .json, key: "k", firstLine: 11)
        let events = try json.read("{\"a\":1}\r\n\n[2]\n", isLines: true)
        #expect(events.map(\.payload) == [#"{"a":1}"#, "[2]"])
        #expect(events.allSatisfy { $0.key == "k" && $0.id.count == 36 })
        #expect(problem { () throws(AdminProblem) in _ = try json.read("1\n\nx", isLines: true) }?.hasPrefix("400: line 13: not JSON") == true)
        #expect(problem { () throws(AdminProblem) in _ = try json.read(#"{"a":1,"a":2}"#, isLines: false) } != nil)
        let text = RequestEvents(form: .text, key: nil, firstLine: 1)
        #expect(try text.read("a\nb", isLines: false).map(\.payload) == ["a\nb"])
        #expect(try text.read("a\nb", isLines: true).map(\.payload) == ["a", "b"])
    }

    @Test func tooManyLines() {
        let lines = Bytes(String(repeating: "1\n", count: RequestEvents.countMax + 1))
        let events = RequestEvents(form: .json, key: nil, firstLine: 1)
        #expect(problem { () throws(AdminProblem) in _ = try events.read(lines, isLines: true) }
            == "413: more than 10000 events; send them in several requests")
    }

    private func reset(_ json: String) throws(AdminProblem) -> ResetRequest {
        guard case .object(let object)? = JSONReader.read(json, problems: ConfigProblems(file: "test"))?.kind else {
            throw .badRequest("no object")
        }
        return try ResetRequest(object, now: 10_000)
    }

    @Test func resets() throws {
        #expect(try reset(#"{"to":"earliest"}"#).target == .earliest)
        #expect(try reset(#"{"to":"latest","execute":true}"#).isExecuted)
        #expect(try reset(#"{"to":42,"topic":"t","partition":3}"#).partition == 3)
        #expect(try reset(#"{"to":{"time_ms":5}}"#).target == .time(5))
        #expect(try reset(#"{"to":{"by_ms":4000}}"#).target == .time(6000))
        #expect(try reset(#"{"to":{"by_ms":40000}}"#).target == .time(0))
        for json in [
            "{}", #"{"to":"middle"}"#, #"{"to":-1}"#, #"{"to":1.5}"#, #"{"to":{}}"#, #"{"to":{"by_ms":1,"time_ms":1}}"#,
            #"{"to":0,"partition":"1"}"#, #"{"to":0,"topic":1}"#, #"{"to":0,"execute":"yes"}"#, #"{"to":0,"exekute":true}"#,
        ] {
            #expect(problem { () throws(AdminProblem) in _ = try reset(json) }?.hasPrefix("400: ") == true, "\(json)")
        }
    }
}
