import Martlet
import Pipelines
import Testing

@Suite struct ValijsonSchemaCompilerTests {
    private let compiler = ValijsonSchemaCompiler()

    private static let like = #"""
        {"type": "object", "required": ["actor", "post_id"], "additionalProperties": false,
         "properties": {
            "actor": {"type": "string", "minLength": 1, "pattern": "^[a-z]+$"},
            "post_id": {"type": "integer", "minimum": 1}, "kind": {"enum": ["like", "love", 3]},
            "tags": {"type": "array", "items": {"type": ["string", "null"]}, "maxItems": 2}}}
        """#

    private func problems(_ schema: String, _ payload: String) throws -> [String] {
        try compiler.compile(schema).problems(in: Bytes(payload))
    }

    private func refusal(_ schema: String) -> String? {
        do throws(PayloadError) {
            _ = try compiler.compile(schema)
            return nil
        } catch {
            return error.message
        }
    }

    @Test(arguments: [
        #"{"actor":"ann","post_id":7}"#, #"{"post_id":1,"actor":"b","kind":3,"tags":["x",null]}"#,
    ])
    func validPayloadsHaveNoProblems(payload: String) throws {
        #expect(try problems(Self.like, payload) == [])
    }

    @Test(arguments: [
        (#"{"actor":"ann","post_id":"7"}"#, ["`/post_id`: expected integer, found string"]),
        (#"{"actor":"ann"}"#, ["`/post_id`: is missing"]),
        ("[]", ["the payload: expected object, found array"]),
        (#"{"actor":"ann","post_id":0}"#, ["`/post_id`: expected number greater than or equal to 1"]),
        (#"{"actor":"ann","post_id":7,"extra":1}"#, ["`/extra`: is not expected"]),
        (#"{"actor":"ANN","post_id":7}"#, ["`/actor`: does not match the pattern"]),
        (#"{"actor":"ann","post_id":7,"kind":"hate"}"#, [#"`/kind`: expected one of "like", "love", 3"#]),
        (#"{"actor":"ann","post_id":7,"tags":["a",1]}"#, ["`/tags/1`: expected string or null, found integer"]),
        (#"{"actor":"ann","post_id":7,"tags":["a","b","c"]}"#,
            ["`/tags`: array should contain no more than 2 elements"]),
        (#"{"actor":5}"#, ["`/actor`: expected string, found integer", "`/post_id`: is missing"]),
    ])
    func problemsNameTheFieldAndWhatWasExpected(payload: String, expected: [String]) throws {
        #expect(try problems(Self.like, payload).sorted() == expected)
    }

    @Test func problemsAreFew() throws {
        let payload = "[" + (0..<100).map { "\"\($0)\"" }.joined(separator: ",") + "]"
        #expect(try problems(#"{"items": {"type": "integer"}}"#, payload).count == 5)
    }

    @Test(arguments: [
        (#"{"type": "strng"}"#, "Unrecognised JSON type name 'strng'"),
        (#"{"properties": {"a": {"requried": ["x"]}}}"#,
            "`/properties/a/requried` is no keyword of JSON Schema draft 7 that can be checked"),
        (#"{"properties": {"a": 5}}"#, "`/properties/a` must be a schema: an object, true or false"),
        (#"{"required": "actor"}"#, "`/required` must be a list of names"),
        (#"{"pattern": "("}"#,
            "`/pattern` has a bad regular expression `(`: Mismatched '(' and ')' in regular expression"),
        (#"{"format": "email"}"#, "`/format` must be date, time or date-time: no other format is checked"),
        (##"{"$ref": "#/definitions/x"}"##, "`/$ref` is `#/definitions/x`, which is not there"),
        (#"{"$ref": "https://example.com/schema"}"#,
            "`/$ref` is `https://example.com/schema`, but a reference must stay inside the schema: `#/definitions/…`"),
        (##"{"$ref": "#"}"##, "the schema refers to itself without end"),
        (##"{"allOf": [{"$ref": "#/definitions/a"}], "definitions": {"a": {"anyOf": [{"$ref": "#"}]}}}"##,
            "the schema refers to itself without end"),
        (#"{"minLength": -1}"#, "Expected a non-negative integer value for 'minLength' constraint."),
    ])
    func badSchemasAreRefused(schema: String, message: String) {
        #expect(refusal(schema) == message)
    }

    @Test func recursiveSchemasAreFollowed() throws {
        let tree = ##"{"type": "object", "properties": {"child": {"$ref": "#"}, "name": {"type": "string"}}}"##
        #expect(try problems(tree, #"{"child":{"child":{"name":"x"}}}"#) == [])
        #expect(
            try problems(tree, #"{"child":{"child":{"name":1}}}"#) == ["`/child/child/name`: expected string, found integer"])
    }

    @Test func textTooLongForPatternsIsRefused() throws {
        let long = String(repeating: "a", count: 3000)
        #expect(
            try problems(Self.like, #"{"actor":"\#(long)","post_id":1}"#)
                == ["`/actor`: longer than 2048 bytes, which a schema with patterns does not read"])
        #expect(try problems(#"{"type": "object"}"#, #"{"actor":"\#(long)"}"#) == [])
    }

    @Test func whatIsNotJSONIsRefused() throws {
        let validator = try compiler.compile("{}")
        #expect(throws: PayloadError.self) { try validator.problems(in: "{") }
        #expect(throws: PayloadError.self) { try validator.problems(in: #"{"a":1,"a":2}"#) }
        let deep = String(repeating: "[", count: 100_000)
        #expect(throws: PayloadError.self) { try validator.problems(in: Bytes(deep)) }
    }

    @Test func threadsShareAValidator() async throws {
        let validator = try compiler.compile(Self.like)
        let wrong = await withTaskGroup(of: Int.self) { group in
            for task in 0..<8 {
                group.addTask {
                    (0..<200).filter { index in
                        let isGood = (task + index).isMultiple(of: 2)
                        let payload = Bytes(#"{"actor":"\#(isGood ? "ann" : "ANN")","post_id":\#(index + 1)}"#)
                        return (try? validator.problems(in: payload).isEmpty) != isGood
                    }.count
                }
            }
            return await group.reduce(0, +)
        }
        #expect(wrong == 0)
    }
}
