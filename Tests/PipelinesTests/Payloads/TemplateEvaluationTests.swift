import Martlet
import Pipelines
import Testing

@Suite struct TemplateEvaluationTests {
    private let reader = SimdjsonPayloadReader()
    private let all = Set(TemplateVariableKind.allCases)

    private struct Variables: TemplateVariables {
        func value(of kind: TemplateVariableKind, _ name: String) -> String? {
            name == "none" ? nil : "\(kind.rawValue)-\(name)"
        }
    }

    private let record = Record(
        topic: "likes", partition: 3, offset: 42,
        event: Event(
            id: "id-1", key: "zoë", headers: [Header("trace", "t-9")],
            payload: #"{"actor":"ann","post_id":7,"ratio":0.5,"nothing":null,"tags":["a","b"],"quote":"say \"hi\"","own":{"x":1}}"#,
            timestamp: 1_700_000_000_123))

    private func evaluate(_ source: String, encoding: TemplateEncoding = .plain) throws -> DataValue {
        let template = try Template.compile(ConfigText(stringLiteral: source), allowing: all, encoding: encoding)
        return try TemplateSet([template]).evaluate(TemplateInput(record), with: reader)[0]
    }

    @Test(arguments: [
        ("plain", DataValue.text("plain")), ("${/actor}", .text("ann")), ("${/post_id}", .integer(7)),
        ("${/ratio}", .double(0.5)), ("${/nothing}", .null), ("${/tags}", .json(#"["a","b"]"#)), ("${/tags/1}", .text("b")),
        ("${@id}", .text("id-1")), ("${@key}", .text("zoë")), ("${@topic}", .text("likes")), ("${@partition}", .integer(3)),
        ("${@offset}", .integer(42)), ("${@timestamp}", .integer(1_700_000_000_123)), ("${@header.trace}", .text("t-9")),
        ("${/actor} liked post ${/post_id}", .text("ann liked post 7")), ("<${/nothing}>", .text("<null>")),
        ("<${/own}>", .text(#"<{"x":1}>"#)), ("<${/quote}>", .text(#"<say "hi">"#)), ("$${/actor}", .text("${/actor}")),
        ("$$${/actor}", .text("$ann")), ("${/gone:-0}", .integer(0)), ("${/gone:-nobody}", .text("nobody")),
        ("<${/gone:-0}>", .text("<0>")), ("${/nothing:-0}", .null), ("${@header.gone:-x}", .text("x")),
    ])
    func valuesKeepTheirTypeWhenAlone(source: String, expected: DataValue) throws {
        #expect(try evaluate(source) == expected)
    }

    @Test func wholePayloadIsJSON() throws {
        #expect(try evaluate("${@payload}") == .json(record.event.payload.string))
    }

    @Test(arguments: [
        ("${/gone/deep}", "template.missing_field",
            "the payload has no `/gone/deep`; a default can be given: `${/gone/deep:-…}`"),
        ("a ${/gone}", "template.missing_field", "the payload has no `/gone`; a default can be given: `${/gone:-…}`"),
        ("${@header.gone}", "template.missing_variable",
            "`@header.gone` has no value here; a default can be given: `${@header.gone:-…}`"),
    ])
    func whatIsMissingIsTheRecordsFault(source: String, code: String, message: String) {
        let error = #expect(throws: ModuleError.self) { try evaluate(source) }
        #expect(error?.kind == .permanent)
        #expect(error?.code == code)
        #expect(error?.message == message)
    }

    @Test func badPayloadIsTheRecordsFault() throws {
        var record = record
        record.event.payload = "{"
        let set = TemplateSet([try Template.compile("${/a}", allowing: all)])
        let error = #expect(throws: ModuleError.self) { try set.evaluate(TemplateInput(record), with: reader) }
        #expect(error?.code == "template.bad_payload")
        #expect(
            error?.message
                == "the payload cannot be read: not JSON: expected a key in quotes at byte 1, found the end")
    }

    @Test func payloadIsNotReadWithoutPointers() throws {
        var record = record
        record.event.payload = "opaque"
        let set = TemplateSet([try Template.compile("${@key}", allowing: all)])
        #expect(!set.readsPayload)
        #expect(try set.evaluate(TemplateInput(record), with: reader) == [.text("zoë")])
    }

    @Test func sourceInputsOfferTheirVariables() throws {
        let input = SourceInput(payload: "{}", headers: [Header("trace", "own")], variables: Variables())
        let sources: [ConfigText] = [
            "${@path.user}", "${@query.limit}", "${@claim.sub}", "${@header.trace}", "${@header.other}", "${@saved.owner}",
            "${@query.none:-50}",
        ]
        let set = TemplateSet(try sources.map { try Template.compile($0, allowing: all) })
        let values = try set.evaluate(TemplateInput(input, saved: ["owner": .integer(9)]), with: reader)
        #expect(
            values == [
                .text("path-user"), .text("query-limit"), .text("claim-sub"), .text("own"), .text("header-other"),
                .integer(9), .integer(50),
            ])
    }

    @Test func urlSegmentsAreEncoded() throws {
        #expect(try evaluate("/users/${@key}/x", encoding: .urlSegment) == .text("/users/zo%C3%AB/x"))
        #expect(try evaluate("${/quote}", encoding: .urlSegment) == .text("say%20%22hi%22"))
        #expect(try evaluate("/${/gone:-a/b?c}", encoding: .urlSegment) == .text("/a%2Fb%3Fc"))
        let error = #expect(throws: ModuleError.self) { try evaluate("/${/gone:-..}", encoding: .urlSegment) }
        #expect(error?.message == #"the value of `${/gone}` is "..", which cannot be a segment of a URL"#)
    }

    @Test func headerValuesRefuseLineBreaks() throws {
        #expect(try evaluate("by ${/actor}", encoding: .headerValue) == .text("by ann"))
        var record = record
        record.event.payload = #"{"actor":"a\r\nX-Admin: 1"}"#
        let template = try Template.compile("${/actor}", allowing: all, encoding: .headerValue)
        let error = #expect(throws: ModuleError.self) {
            try TemplateSet([template]).evaluate(TemplateInput(record), with: reader)
        }
        #expect(error?.code == "template.bad_header_value")
        #expect(
            error?.message
                == "the value of `${/actor}` holds the control character 0x0D, which a header cannot carry")
    }
}
