import Martlet
import Pipelines
import Testing

@Suite struct SimdjsonPayloadReaderTests {
    private let reader = SimdjsonPayloadReader()

    private func value(_ pointer: String, _ payload: String) throws -> DataValue? {
        let pointer = try #require(JSONPointer(pointer))
        return try reader.values(at: [pointer], in: Bytes(payload))[0]
    }

    /// The message about a payload that a check refuses; nil if it does not.
    private func refusal(_ payload: Bytes) -> String? {
        do throws(PayloadError) {
            try reader.check(payload)
            return nil
        } catch {
            return error.message
        }
    }

    @Test(arguments: [
        (#"{"a":null}"#, DataValue.null), (#"{"a":true}"#, .bool(true)), (#"{"a":false}"#, .bool(false)),
        (#"{"a":0}"#, .integer(0)), (#"{"a":-7}"#, .integer(-7)),
        (#"{"a":9223372036854775807}"#, .integer(.max)), (#"{"a":-9223372036854775808}"#, .integer(.min)),
        (#"{"a":9223372036854775808}"#, .json("9223372036854775808")),
        (#"{"a":1.5}"#, .double(1.5)), (#"{"a":1e3}"#, .double(1000)), (#"{"a":-0.0}"#, .double(-0.0)),
        (#"{"a":1e-400}"#, .double(0)), (#"{"a":""}"#, .text("")), (#"{"a":"x y"}"#, .text("x y")),
        (#"{"a":"Zoë 🐦"}"#, .text("Zoë 🐦")),
        (#"{"a":"\"\\\/\b\f\n\r\t\u0041\u00e9\ud83d\udc26"}"#, .text("\"\\/\u{8}\u{c}\n\r\tAé🐦")),
        (#"{"a":"\u0000"}"#, .text("\0")),
        (#"{"a":{"b": [1, 2]} }"#, .json(#"{"b": [1, 2]}"#)), (#"{"a":[ ]}"#, .json("[ ]")),
        (#" { "a" : 1 } "#, .integer(1)), (#"{"\u0061":1}"#, .integer(1)),
    ])
    func valuesKeepTheirType(payload: String, expected: DataValue) throws {
        #expect(try value("/a", payload) == expected)
    }

    @Test(arguments: [
        ("", #"{"a":[{"b":1},{"b":2}],"":3,"a/b":4,"m~n":5,"0":6}"#,
            DataValue.json(#"{"a":[{"b":1},{"b":2}],"":3,"a/b":4,"m~n":5,"0":6}"#)),
        ("/a/1/b", #"{"a":[{"b":1},{"b":2}]}"#, .integer(2)), ("/", #"{"":3}"#, .integer(3)),
        ("/a~1b", #"{"a/b":4}"#, .integer(4)), ("/m~0n", #"{"m~n":5}"#, .integer(5)), ("/0", #"{"0":6}"#, .integer(6)),
        ("/0", "[7]", .integer(7)), ("", "8", .integer(8)), ("", #" "x" "#, .text("x")), ("", "null", .null),
    ])
    func pointersFollowRFC6901(pointer: String, payload: String, expected: DataValue) throws {
        #expect(try value(pointer, payload) == expected)
    }

    @Test(arguments: [
        ("/b", #"{"a":1}"#), ("/a/b", #"{"a":1}"#), ("/a/0", #"{"a":{"b":1}}"#), ("/2", "[1,2]"), ("/-", "[1,2]"),
        ("/01", "[1,2]"), ("/a", "[1,2]"), ("/b", #"{"a":{"b":1}}"#),
    ])
    func whatIsNotThereIsNil(pointer: String, payload: String) throws {
        #expect(try value(pointer, payload) == nil)
    }

    @Test func oneReadingFindsAll() throws {
        let pointers = try ["/a", "/b/c", "/b", "/a", "/b/d", "/x"].map { try #require(JSONPointer($0)) }
        let values = try reader.values(at: pointers, in: #"{"b":{"d":2,"c":"1"},"a":true}"#)
        #expect(values == [.bool(true), .text("1"), .json(#"{"d":2,"c":"1"}"#), .bool(true), .integer(2), nil])
    }

    @Test(arguments: [
        ("", "not JSON: it is empty"), (" \n", "not JSON: it holds only white space"),
        ("{", "not JSON: expected a key in quotes at byte 1, found the end"),
        (#"{"a"}"#, "not JSON: expected `:` at byte 4, found `}`"),
        (#"{"a":}"#, "not JSON: expected a value at byte 5, found `}`"),
        (#"{"a":1,}"#, "not JSON: expected a key in quotes at byte 7, found `}`"),
        (#"{"a":1 "b":2}"#, "not JSON: expected `,` or `}` at byte 7, found `\"`"),
        ("[1,]", "not JSON: expected a value at byte 3, found `]`"), ("[1", "not JSON: expected `,` or `]` at byte 2, found the end"),
        ("[1}", "not JSON: expected `,` or `]` at byte 2, found `}`"),
        ("1 2", "not JSON: expected the end at byte 2, found `2`"), ("{}x", "not JSON: expected the end at byte 2, found `x`"),
        ("tru", "not JSON: expected a value at byte 0, found `t`"), ("nulL", "not JSON: expected a value at byte 0, found `n`"),
        ("01", "not JSON: a malformed number at byte 0"), ("-", "not JSON: a malformed number at byte 0"),
        ("1.", "not JSON: a malformed number at byte 0"), (".5", "not JSON: expected a value at byte 0, found `.`"),
        ("1e", "not JSON: a malformed number at byte 0"), ("+1", "not JSON: expected a value at byte 0, found `+`"),
        (#"[12"a"]"#, "not JSON: a malformed number at byte 1"), ("[1e999]", "the number at byte 1 is beyond a double's range"),
        ("NaN", "not JSON: expected a value at byte 0, found `N`"),
        (#"["a"b]"#, "not JSON: expected `,` or `]` at byte 4, found `b`"),
        (#"["abc"#, "not JSON: the string that begins at byte 1 never ends"),
        ("[\"a\u{1}\"]", "not JSON: a control character (0x01) in a string at byte 3"),
        (#"["\x"]"#, #"not JSON: a bad escape at byte 2; expected \" \\ \/ \b \f \n \r \t or \u and four digits, surrogates in pairs"#),
        (#"["\ud800"]"#, #"not JSON: a bad escape at byte 2; expected \" \\ \/ \b \f \n \r \t or \u and four digits, surrogates in pairs"#),
        ("\u{FEFF}{}", "not JSON: expected a value at byte 0, found the byte 0xEF"),
        (#"{"a":1,"b":2,"a":3}"#, #"the key "a" is there twice, again at byte 13"#),
        (#"{"a":1,"\u0061":3}"#, #"the key "\u0061" is there twice, again at byte 7"#),
        (#"[{"x":{"k":1,"k":2}}]"#, #"the key "k" is there twice, again at byte 13"#),
    ])
    func refusalsSayWhatAndWhere(payload: String, message: String) {
        #expect(refusal(Bytes(payload)) == message)
    }

    @Test func invalidUTF8IsRefusedWithItsPlace() {
        #expect(refusal(Bytes([0x22, 0x61, 0xFF, 0x22])) == "not JSON: it is not UTF-8 at byte 2")
        #expect(refusal(Bytes([0x22, 0xED, 0xA0, 0x80, 0x22])) == "not JSON: it is not UTF-8 at byte 1")
    }

    @Test(arguments: [
        #"{"a":{"k":1},"b":{"k":1}}"#, #"[{"k":1},{"k":1}]"#, "{}", "[]", "0", #""""#, #"{"a":"\\"}"#, #"["\\\"",{}]"#,
    ])
    func goodPayloadsPass(payload: String) {
        #expect(refusal(Bytes(payload)) == nil)
    }

    @Test func manyKeysAreCompared() {
        let keys = (0..<500).map { "\"key\($0)\":\($0)" }
        #expect(refusal(Bytes("{" + keys.joined(separator: ",") + "}")) == nil)
        let twice = "{" + keys.joined(separator: ",") + ",\"key250\":1}"
        #expect(refusal(Bytes(twice))?.hasPrefix(#"the key "key250" is there twice, again at byte"#) == true)
    }

    @Test func nestingIsBounded() {
        let deepest = String(repeating: "[", count: 256) + String(repeating: "]", count: 256)
        #expect(refusal(Bytes(deepest)) == nil)
        #expect(refusal(Bytes("[" + deepest + "]")) == "nested deeper than 256 levels at byte 256")
        let endless = String(repeating: "[", count: 100_000)
        #expect(refusal(Bytes(endless)) == "nested deeper than 256 levels at byte 256")
    }

    @Test func lookUpsRefuseAmbiguousKeys() throws {
        let pointer = try #require(JSONPointer("/actor"))
        #expect(throws: PayloadError.self) {
            try reader.values(at: [pointer], in: #"{"actor":"a","actor":"b"}"#)
        }
    }

    @Test func elementsShareTheirMemory() throws {
        let array: Bytes = #" [ {"a":1} ,"x" , [2,3],4 ] "#
        #expect(try reader.elements(of: array).map(\.string) == [#"{"a":1}"#, #""x""#, "[2,3]", "4"])
        #expect(try reader.elements(of: "[]").isEmpty)
        #expect(throws: PayloadError.self) { try reader.elements(of: #"{"a":1}"#) }
        #expect(throws: PayloadError.self) { try reader.elements(of: #"[{"a":1,"a":2}]"#) }
    }

    /// A slice ends where it ends, whatever follows in the same memory.
    @Test func slicesAreNotReadPastTheirEnd() throws {
        let owner: Bytes = "123456"
        let root = try #require(JSONPointer(""))
        #expect(try reader.values(at: [root], in: owner.slice(0..<3)) == [.integer(123)])
        #expect(refusal(Bytes("[1]]").slice(0..<3)) == nil)
        #expect(refusal(Bytes(#"["abc"]"#).slice(0..<5)) == "not JSON: the string that begins at byte 1 never ends")
    }

    @Test func largePayloadsAreRead() throws {
        let payload = Bytes("[" + String(repeating: #"{"k":"0123456789"},"#, count: 200_000) + "{}]")
        #expect(try reader.elements(of: payload).count == 200_001)
        #expect(refusal("{}") == nil)
    }
}
