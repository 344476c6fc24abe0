import Martlet
import Testing

struct JSONReaderTests {
    @Test func valuesAndKeysKnowTheirPositions() throws {
        let node = try read("{\r\n  \"é\": [true,\n    null], \"b\\n\" :\"x\"\n}")
        guard case .object(let object) = node.kind else {
            Issue.record("not an object")
            return
        }
        #expect(node.position == SourcePosition(line: 1, column: 1))
        #expect(object.keys == ["é", "b\n"])
        #expect(object.members[0].keyPosition == SourcePosition(line: 2, column: 3))
        #expect(object.members[0].value.position == SourcePosition(line: 2, column: 8))
        #expect(object.members[1].keyPosition == SourcePosition(line: 3, column: 12))
        #expect(object.members[1].value.position == SourcePosition(line: 3, column: 19))
        guard case .array(let items)? = object["é"]?.kind else {
            Issue.record("not a list")
            return
        }
        #expect(items.map(\.position) == [SourcePosition(line: 2, column: 9), SourcePosition(line: 3, column: 5)])
    }

    @Test(arguments: [
        (#""\"\\\/\b\f\n\r\t\u0041\u00e9\ud83d\udc26""#, "\"\\/\u{8}\u{C}\n\r\tAé🐦"), (#""""#, ""), (#""\u0000""#, "\0"),
        (#""ÿ€🐦""#, "ÿ€🐦"),
    ])
    func stringsAreDecoded(_ json: String, _ text: String) throws {
        #expect(try read(json).plainText == text)
    }

    @Test(arguments: [
        ("0", 0, 0), ("-0", 0, 0), ("9223372036854775807", .max, 9.223372036854775807e18),
        ("-9223372036854775808", .min, -9.223372036854775808e18), ("9223372036854775808", nil, 9.223372036854775808e18),
       
        ("1.0", 1, 1), ("25e-1", nil, 2.5), ("1E3", 1_000, 1_000), ("1e999", nil, .infinity), ("9007199254740994.0", nil, 9_007_199_254_740_994),
    ] as [(String, Int64?, Double)])
    func numbersKeepTextAndValue(_ json: String, _ int64: Int64?, _ double: Double) throws {
        guard case .number(let number) = try read(json).kind else {
            Issue.record("not a number")
            return
        }
        #expect(number.text == json)
        #expect(number.double == double)
        #expect(number.int64 == int64)
    }

    @Test func writesWhatItRead() throws {
        let json = #"{"b":1.50,"a":[null,true,false,-1e-7,"\"\\\n\u0001é🐦"],"o":{},"l":[],"n":{"m":[{"x":1}]}}"#
        let node = try read(json)
        #expect(JSONWriter.text(node) == json)
        let pretty = JSONWriter.text(node, layout: .pretty)
        #expect(
            pretty == #"""
                {
                  "b": 1.50,
                  "a": [null, true, false, -1e-7, "\"\\\n\u0001é🐦"],
                  "o": {},
                  "l": [],
                  "n": {
                    "m": [
                      {
                        "x": 1
                      }
                    ]
                  }
                }
                """#)
        #expect(JSONWriter.text(try read(pretty)) == json)
    }

    @Test func nodesAreBuiltInCode() {
        let node: JSONNode = ["type": "object", "required": ["a", "b"], "max": 3, "half": 0.5, "open": false, "none": .null]
        #expect(
            JSONWriter.text(node)
                == #"{"type":"object","required":["a","b"],"max":3,"half":0.5,"open":false,"none":null}"#)
    }

    /// A long line must not be counted from its start for each value.
    @Test func oneLongLineIsReadInOneGo() throws {
        let items = Array(repeating: "1", count: 200_000).joined(separator: ",")
        guard case .array(let values) = try read("[\(items)]").kind else {
            Issue.record("not a list")
            return
        }
        #expect(values.last?.position == SourcePosition(line: 1, column: 400_000))
    }

    private func read(_ json: String) throws -> JSONNode {
        let problems = ConfigProblems(file: "config.json")
        let node = JSONReader.read(json, problems: problems)
        try problems.throwIfAny()
        return try #require(node)
    }
}
