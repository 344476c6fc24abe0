import Martlet
import Pipelines
import Testing

@Suite struct PayloadTemplateTests {
    private let reader = SimdjsonPayloadReader()

    private func render(_ json: String, payload: String = "{}", key: Bytes? = "k") throws -> String {
        let node = try #require(JSONReader.read(json, problems: ConfigProblems(file: "config.json")))
        var problems: [String] = []
        let template = PayloadTemplate.compile(node, path: .root, allowing: [.record, .header]) { text, problem in
            problems.append("\(text.place.path): \(problem.message)")
        }
        #expect(problems == [])
        let event = Event(
            id: "id-1", key: key, headers: [Header("raw", Bytes([0x61, 0xFF]))], payload: Bytes(payload), timestamp: 5)
        return try #require(template).render(TemplateInput(event), with: reader).string
    }

    @Test(arguments: [
        (#"{"a": [1, true, null, 1.50, "x"], "b": {}}"#, "{}", #"{"a":[1,true,null,1.50,"x"],"b":{}}"#),
        (#"{"n": "${/n}"}"#, #"{"n": 12345678901234567890123}"#, #"{"n":12345678901234567890123}"#),
        (#"{"s": "${/s}"}"#, #"{"s": "q\"\u00e9\n"}"#, #"{"s":"q\"\u00e9\n"}"#),
        (#"{"o": "${/o}"}"#, #"{"o": {"x": [1,  2]}}"#, #"{"o":{"x": [1,  2]}}"#),
        (#"{"t": "<${/s}> is \"${/n}\" \n"}"#, #"{"s": "a\\b", "n": 1e2}"#, #"{"t":"<a\\b> is \"1e2\" \n"}"#),
        (#"{"t": "o=${/o}"}"#, #"{"o": {"x":"y"}}"#, #"{"t":"o={\"x\":\"y\"}"}"#),
        (#"{"d": "${/gone:-0}", "e": "${/gone:-x}", "f": "<${/gone:-\"q\"}>"}"#, "{}", #"{"d":0,"e":"x","f":"<q>"}"#),
        (#"{"id": "${@id}", "key": "${@key}", "at": "${@timestamp}"}"#, "{}", #"{"id":"id-1","key":"k","at":5}"#),
        (#"{"all": "${@payload}"}"#, "[1, 2]", #"{"all":[1, 2]}"#), (#""${/x}""#, #"{"x":3}"#, "3"),
        (#"{"${/x}": "$${/x}"}"#, "{}", #"{"${/x}":"${/x}"}"#), (#"{"raw": "${@header.raw}"}"#, "{}", "{\"raw\":\"a\u{FFFD}\"}"),
    ])
    func rendersJSON(template: String, payload: String, expected: String) throws {
        #expect(try render(template, payload: payload) == expected)
    }

    @Test func keysAreEscaped() throws {
        #expect(try render(#"{"k": "${@key}"}"#, key: "a\"\\\n\u{1}é") == #"{"k":"a\"\\\n\u0001é"}"#)
        #expect(try render(#"{"k": "${@key}"}"#, key: Bytes([0xC3])) == "{\"k\":\"\u{FFFD}\"}")
    }

    @Test func resultsAreJSON() throws {
        let json = try render(
            #"{"a": ["${/x}", "${/y} and ${@payload}", {"b": "${@key}"}]}"#, payload: #"{"x":[{}],"y":"\\\"é🐦"}"#)
        try reader.check(Bytes(json))
    }

    @Test func whatIsMissingIsTheRecordsFault() {
        let error = #expect(throws: ModuleError.self) { try render(#"{"a": {"b": "${/gone}"}}"#) }
        #expect(error?.code == "template.missing_field")
        let keyless = #expect(throws: ModuleError.self) { try render(#"{"a": "${@key}"}"#, key: nil) }
        #expect(keyless?.code == "template.missing_variable")
    }

    @Test func allProblemsAreReportedWithTheirPaths() throws {
        let json = #"{"a": "${x}", "b": ["ok", "${@nokind}"], "c": "${/fine}"}"#
        let node = try #require(JSONReader.read(json, problems: ConfigProblems(file: "config.json")))
        var paths: [String] = []
        let template = PayloadTemplate.compile(node, path: .root.appending("payload"), allowing: []) { text, _ in
            paths.append("\(text.place.path)")
        }
        #expect(template == nil)
        #expect(paths == ["payload.a", "payload.b[1]"])
    }

    @Test func longValuesGrowTheOutput() throws {
        let long = String(repeating: "x", count: 10_000)
        let json = try render(#"{"a": "${/s}${/s}${/s}"}"#, payload: #"{"s":"\#(long)"}"#)
        #expect(json == #"{"a":"\#(long)\#(long)\#(long)"}"#)
    }
}
