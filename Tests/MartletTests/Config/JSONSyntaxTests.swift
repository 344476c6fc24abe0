import Martlet
import Testing

struct JSONSyntaxTests {
    @Test(arguments: [
        ConfigMistake("empty", "", "config.json:1:1: expected a JSON value, found the end of the file"),
        ConfigMistake(
            "comma missing", "{\n  \"a\": 1\n  \"b\": 2\n}",
            "config.json:3:3: expected `,` or `}` after this value, found `\"`"),
        ConfigMistake(
            "comma after the last member", "{\n  \"a\": 1,\n}",
            """
            config.json:3:1: expected a key in double quotes after the comma, found `}`
              JSON allows no comma after the last value
            """),
        ConfigMistake(
            "comma after the last item", #"{"a": [1, 2, ]}"#,
            """
            config.json:1:14: a[2]: expected a value after the comma, found `]`
              JSON allows no comma after the last value
            """),
        ConfigMistake(
            "comment", "{\n  // the host\n  \"a\": 1\n}",
            """
            config.json:2:3: expected a key in double quotes or `}`, found `/`
              JSON has no comments; put the text in a "description" key
            """),
        ConfigMistake(
            "key without quotes", "{host: 1}",
            """
            config.json:1:2: expected a key in double quotes or `}`, found `host`
              JSON strings and keys stand in double quotes
            """),
        ConfigMistake(
            "single quotes", #"{"a": 'x'}"#,
            """
            config.json:1:7: a: expected a value after `:`, found `'`
              JSON strings and keys stand in double quotes
            """),
        ConfigMistake(
            "colon missing", #"{"a" 1}"#, "config.json:1:6: a: expected `:` after the key \"a\", found `1`"),
        ConfigMistake(
            "another language's true", #"{"a": {"b": True}}"#,
            """
            config.json:1:13: a.b: expected a value after `:`, found `True`
              write true
            """),
        ConfigMistake(
            "not a number", #"{"a": NaN}"#,
            """
            config.json:1:7: a: expected a value after `:`, found `NaN`
              JSON has no such number
            """),
        ConfigMistake(
            "leading zero", #"{"a": 007}"#,
            "config.json:1:7: a: expected no leading zero in a number, found `007`"),
        ConfigMistake(
            "leading plus", #"[+1]"#,
            """
            config.json:1:2: [0]: expected a value or `]`, found `+1`
              a number begins with a digit or `-`
            """),
        ConfigMistake(
            "point without digits", "[1.]", "config.json:1:4: [0]: expected a digit after the decimal point, found `]`"),
        ConfigMistake("minus alone", "[-]", "config.json:1:3: [0]: expected a digit after `-`, found `]`"),
        ConfigMistake("exponent alone", "[1e+]", "config.json:1:5: [0]: expected a digit in the exponent, found `]`"),
        ConfigMistake(
            "string without end", "{\"a\": \"x",
            "config.json:1:7: a: expected `\"` at the end of this string, found the end of the file"),
        ConfigMistake(
            "line break in a string", "{\"a\": \"x\n\"}",
            """
            config.json:1:9: a: expected `"` before the end of the line, found the end of the line
              write a line break inside a string as \\n
            """),
        ConfigMistake(
            "control character", "[\"a\u{1}\"]",
            """
            config.json:1:4: [0]: expected a character allowed in a string, found the control character 0x1
              write it as \\u0001
            """),
        ConfigMistake(
            "unknown escape", #"["C:\data"]"#,
            #"""
            config.json:1:5: [0]: expected an escape, found `\d`
              the escapes are \" \\ \/ \b \f \n \r \t \uXXXX; a backslash itself is \\
            """#),
        ConfigMistake(
            "short escape", #"["\u12"]"#,
            #"config.json:1:3: [0]: expected four hexadecimal digits after `\u`, found `"`"#),
        ConfigMistake(
            "half a pair", #"["\ud83d!"]"#,
            #"""
            config.json:1:3: [0]: expected a pair of surrogates, found half of one
              a character past U+FFFF is two escapes, such as \ud83d\udc26
            """#),
        ConfigMistake(
            "second value", "{} {}", "config.json:1:4: expected the end of the file after the value, found `{`"),
        ConfigMistake("object without end", "{\"a\": 1", "config.json:1:8: expected `,` or `}` after this value, found the end of the file"),
        ConfigMistake(
            "columns count characters", "{\"größe\": 1, \"🐦\": é}",
            "config.json:1:19: 🐦: expected a value after `:`, found `é`"),
        ConfigMistake(
            "byte order mark", "\u{FEFF}{}",
            """
            config.json:1:1: expected JSON, found a byte order mark
              save the file as UTF-8 without a byte order mark
            """),
    ])
    func syntaxErrorSaysWhereAndWhat(_ mistake: ConfigMistake) {
        let problems = ConfigProblems(file: "config.json")
        #expect(JSONReader.read(mistake.json, problems: problems) == nil)
        #expect(problems.text == mistake.report)
        #expect(problems.sorted.map(\.code) == [.syntax])
    }

    @Test(arguments: [
        ([0x22, 0xC3, 0x22], "0xC3"), ([0x22, 0xC0, 0x80, 0x22], "0xC0"), ([0x22, 0xED, 0xA0, 0x80, 0x22], "0xED"),
        ([0x22, 0xF5, 0x80, 0x80, 0x80, 0x22], "0xF5"), ([0x22, 0xE2, 0x82], "0xE2"),
    ] as [([UInt8], String)])
    func bytesThatAreNoUTF8AreRefused(_ bytes: [UInt8], _ found: String) {
        let problems = ConfigProblems(file: "config.json")
        #expect(JSONReader.read(bytes, problems: problems) == nil)
        #expect(
            problems.text == """
                config.json:1:2: expected UTF-8, found the byte \(found)
                  save the file as UTF-8
                """)
    }

    @Test func allDuplicateKeysAreReportedAndTheFirstValueStays() {
        let problems = ConfigProblems(file: "config.json")
        let node = JSONReader.read(
            """
            {
              "a": {"x": 1, "y": 2, "x": 3},
              "b": [{"k": 1, "k": 2, "k": 3}],
              "a": 4
            }
            """, problems: problems)
        #expect(
            problems.text == """
                config.json:2:25: a.x: duplicate key `x`
                  it is first at line 2, column 9
                config.json:3:18: b[0].k: duplicate key `k`
                  it is first at line 3, column 10
                config.json:3:26: b[0].k: duplicate key `k`
                  it is first at line 3, column 10
                config.json:4:3: a: duplicate key `a`
                  it is first at line 2, column 3
                """)
        #expect(node.map { JSONWriter.text($0) } == #"{"a":{"x":1,"y":2},"b":[{"k":1}]}"#)
    }

    @Test func depthIsLimited() {
        var limits = JSONReader.Limits()
        limits.depth = 3
        let problems = ConfigProblems(file: "config.json")
        #expect(JSONReader.read(#"{"a": [{}]}"#, limits: limits, problems: problems) != nil)
        #expect(JSONReader.read("{\"a\": [\n[[]]]}", limits: limits, problems: problems) == nil)
        #expect(problems.text == "config.json:2:2: a[0][0]: is nested deeper than the limit of 3 levels")
    }

    @Test func sizeIsLimited() {
        var limits = JSONReader.Limits()
        limits.bytes = 10
        let problems = ConfigProblems(file: "config.json")
        #expect(JSONReader.read("[12345678]", limits: limits, problems: problems) != nil)
        #expect(JSONReader.read("[123456789]", limits: limits, problems: problems) == nil)
        #expect(problems.text == "config.json: is larger than the limit of 10 bytes, found 11 bytes")
        #expect(JSONReader.Limits().bytes == 4 * 1024 * 1024)
    }
}
