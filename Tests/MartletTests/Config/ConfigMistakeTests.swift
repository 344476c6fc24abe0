import Martlet
import Testing

struct ConfigMistakeTests {
    private static let validKeys =
        "table, batch_events, on_conflict, eager, ratio, limit, columns, tags, retry, steps, schema, payload"

    @Test(arguments: [
        ConfigMistake(
            "unknown key", #"{"table": "t", "tabel": 1}"#,
            """
            config.json:1:16: tabel: unknown key `tabel`; did you mean `table`?
              valid keys: \(validKeys)
            """),
        ConfigMistake(
            "unknown key that is like no other", #"{"table": "t", "zzz": 1}"#,
            """
            config.json:1:16: zzz: unknown key `zzz`
              valid keys: \(validKeys)
            """),
        ConfigMistake(
            "key without its unit", #"{"table": "t", "batch": 1}"#,
            """
            config.json:1:16: batch: unknown key `batch`; did you mean `batch_events`?
              valid keys: \(validKeys)
            """),
        ConfigMistake(
            "key in another case", #"{"table": "t", "batchEvents": 1}"#,
            """
            config.json:1:16: batchEvents: unknown key `batchEvents`; did you mean `batch_events`?
              valid keys: \(validKeys)
            """),
        ConfigMistake(
            "missing key", "{\n}",
            """
            config.json:1:1: missing required key `table`
              table: string, for example "table": "notifications"
            """),
        ConfigMistake(
            "missing key without example", #"{"table": "t", "steps": [{"id": "x"}]}"#,
            """
            config.json:1:26: steps[0]: missing required key `sql`
              sql: string
            """),
        ConfigMistake("string wanted", #"{"table": 3}"#, "config.json:1:11: table: must be a string, found 3"),
        ConfigMistake("null is no value", #"{"table": null}"#, "config.json:1:11: table: must be a string, found null"),
        ConfigMistake(
            "integer wanted", #"{"table": "t", "batch_events": {"a": 1}}"#,
            "config.json:1:32: batch_events: must be an integer, found an object"),
        ConfigMistake(
            "integer in quotes", #"{"table": "t", "batch_events": "500"}"#,
            """
            config.json:1:32: batch_events: must be an integer, found "500"
              write it without quotes: 500
            """),
        ConfigMistake(
            "fraction", #"{"table": "t", "batch_events": 1.5}"#,
            "config.json:1:32: batch_events: must be an integer, found 1.5"),
        ConfigMistake(
            "more than 64 bits", #"{"table": "t", "limit": 99999999999999999999}"#,
            "config.json:1:25: limit: must be an integer of 64 bits, found 99999999999999999999"),
        ConfigMistake(
            "boolean wanted", #"{"table": "t", "eager": 1}"#,
            "config.json:1:25: eager: must be true or false, found 1"),
        ConfigMistake(
            "boolean in quotes", #"{"table": "t", "eager": "true"}"#,
            """
            config.json:1:25: eager: must be true or false, found "true"
              write it without quotes: true
            """),
        ConfigMistake(
            "number wanted", #"{"table": "t", "ratio": []}"#, "config.json:1:25: ratio: must be a number, found a list"),
        ConfigMistake(
            "number past a double", #"{"table": "t", "ratio": 1e999}"#,
            "config.json:1:25: ratio: must be a number that a double can hold, found 1e999"),
        ConfigMistake(
            "out of range", #"{"table": "t", "batch_events": 0}"#,
            "config.json:1:32: batch_events: must be from 1 to 10000 events, found 0"),
        ConfigMistake(
            "out of an open range", #"{"table": "t", "limit": 0}"#, "config.json:1:25: limit: must be at least 1, found 0"),
        ConfigMistake(
            "double out of range", #"{"table": "t", "ratio": 1.01}"#,
            "config.json:1:25: ratio: must be from 0.0 to 1.0, found 1.01"),
        ConfigMistake(
            "nested out of range", #"{"table": "t", "retry": {"delay_ms": 60001}}"#,
            "config.json:1:38: retry.delay_ms: must be from 0 to 60000 milliseconds, found 60001"),
        ConfigMistake(
            "no such choice", #"{"table": "t", "on_conflict": "ignor"}"#,
            """
            config.json:1:31: on_conflict: unknown value "ignor"; did you mean "ignore"?
              valid values: "fail", "ignore", "replace"
            """),
        ConfigMistake(
            "choice of another type", #"{"table": "t", "on_conflict": false}"#,
            #"config.json:1:31: on_conflict: must be one of "fail", "ignore", "replace", found false"#),
        ConfigMistake(
            "list wanted", #"{"table": "t", "tags": "a"}"#, #"config.json:1:24: tags: must be a list, found "a""#),
        ConfigMistake(
            "items of a list", #"{"table": "t", "tags": ["a", 1, null]}"#,
            """
            config.json:1:30: tags[1]: must be a string, found 1
            config.json:1:33: tags[2]: must be a string, found null
            """),
        ConfigMistake(
            "map wanted", #"{"table": "t", "columns": ["a"]}"#, "config.json:1:27: columns: must be an object, found a list"),
        ConfigMistake(
            "values of a map", #"{"table": "t", "columns": {"a.b": 1, "c": "x", "": 2}}"#,
            """
            config.json:1:35: columns["a.b"]: must be a string, found 1
            config.json:1:52: columns[""]: must be a string, found 2
            """),
        ConfigMistake(
            "object wanted", #"{"table": "t", "retry": 3, "schema": "x"}"#,
            """
            config.json:1:25: retry: must be an object, found 3
            config.json:1:38: schema: must be an object, found "x"
            """),
        ConfigMistake(
            "description of another type", #"{"table": "t", "description": 3}"#,
            "config.json:1:31: description: must be a string, found 3"),
        ConfigMistake(
            "template in plain text", #"{"table": "\t${/x}"}"#,
            """
            config.json:1:14: table: takes plain text, no template, found `${/x}`
              write $${ for a literal ${
            """),
        ConfigMistake(
            "variable without env", #"{"table": "${TABLE}"}"#,
            """
            config.json:1:12: table: takes plain text, no template, found `${TABLE}`; did you mean `${env:TABLE}`?
              write $${ for a literal ${
            """),
        ConfigMistake(
            "rule between fields", #"{"table": "t", "on_conflict": "replace"}"#,
            "config.json:1:31: on_conflict: `replace` needs `columns`"),
        ConfigMistake(
            "rule between fields of which one is bad", #"{"table": "t", "on_conflict": "replace", "columns": 3}"#,
            "config.json:1:53: columns: must be an object, found 3"),
        ConfigMistake(
            "rule between fields of which one is bad inside", #"{"table": "t", "on_conflict": "replace", "columns": {"a": 3}}"#,
            "config.json:1:59: columns.a: must be a string, found 3"),
        ConfigMistake(
            "rule between good fields beside a bad one", #"{"table": 3, "on_conflict": "replace"}"#,
            """
            config.json:1:11: table: must be a string, found 3
            config.json:1:29: on_conflict: `replace` needs `columns`
            """),
        ConfigMistake(
            "not an object", "[1]", "config.json:1:1: must be an object, found a list"),
        ConfigMistake(
            "long values are cut", #"{"table": "t", "eager": "\#(String(repeating: "x", count: 100))"}"#,
            "config.json:1:25: eager: must be true or false, found \"\(String(repeating: "x", count: 60))…\""),
    ])
    func mistakeIsReportedInFull(_ mistake: ConfigMistake) {
        #expect(throws: ConfigError.self) { try SampleConfig(json: mistake.json) }
        do throws(ConfigError) {
            _ = try SampleConfig(json: mistake.json)
        } catch {
            #expect(error.description == mistake.report)
        }
    }

    @Test func allProblemsComeAtOnceInTheOrderOfTheFile() throws {
        let problems = ConfigProblems(file: "config.json")
        let node = try #require(
            JSONReader.read(
                """
                {
                  "batch_events": 0,
                  "on_conflict": "replce",
                  "eager": "yes",
                  "columns": {"id": 1},
                  "retry": {"max_attempts": 1000, "dely_ms": 5},
                  "steps": [{"id": "a", "sql": "x"}, {"sql": 2}],
                  "eager": false,
                  "retry_ms": 3
                }
                """, problems: problems))
        let config = SampleConfig.decode(node, path: ConfigPath([.key("sinks"), .key("a")]), problems: problems)
        #expect(config == nil)
        #expect(
            problems.text == """
                config.json:1:1: sinks.a: missing required key `table`
                  table: string, for example "table": "notifications"
                config.json:2:19: sinks.a.batch_events: must be from 1 to 10000 events, found 0
                config.json:3:18: sinks.a.on_conflict: unknown value "replce"; did you mean "replace"?
                  valid values: "fail", "ignore", "replace"
                config.json:4:12: sinks.a.eager: must be true or false, found "yes"
                config.json:5:21: sinks.a.columns.id: must be a string, found 1
                config.json:6:29: sinks.a.retry.max_attempts: must be from 1 to 100, found 1000
                config.json:6:35: sinks.a.retry.dely_ms: unknown key `dely_ms`; did you mean `delay_ms`?
                  valid keys: max_attempts, delay_ms
                config.json:7:38: sinks.a.steps[1]: missing required key `id`
                  id: string, for example "id": "001-likes"
                config.json:7:46: sinks.a.steps[1].sql: must be a string, found 2
                config.json:8:3: eager: duplicate key `eager`
                  it is first at line 4, column 3
                config.json:9:3: sinks.a.retry_ms: unknown key `retry_ms`; did you mean `retry`?
                  valid keys: \(Self.validKeys)
                """)
        #expect(problems.count == 11)
    }

    @Test func problemsAsJSON() throws {
        let problems = ConfigProblems(file: "config.json")
        let node = try #require(JSONReader.read(#"{"table": "t", "tabel": 1, "eager": 2}"#, problems: problems))
        _ = SampleConfig.decode(node, path: ConfigPath([.key("a/b")]), problems: problems)
        let keys = Self.validKeys.split(separator: ", ").map { "\"\($0)\"" }.joined(separator: ",")
        #expect(
            JSONWriter.text(problems.json)
                == #"{"problems":[{"code":"config.unknown_key","file":"config.json","line":1,"column":16,"#
                + #""path":"[\"a/b\"].tabel","pointer":"/a~1b/tabel","message":"unknown key `tabel`","#
                + #""suggestion":"`table`","choices":[\#(keys)]},"#
                + #"{"code":"config.wrong_type","file":"config.json","line":1,"column":37,"#
                + #""path":"[\"a/b\"].eager","pointer":"/a~1b/eager","message":"must be true or false","found":"2"}],"count":2}"#)
    }

    @Test func reportedProblemsAreLimited() {
        let problems = ConfigProblems(file: "config.json")
        for line in 1...(ConfigProblems.limit + 5) {
            problems.report(
                .invalid, at: ConfigPlace(path: .root, position: SourcePosition(line: line, column: 1)), "is wrong")
        }
        #expect(problems.sorted.count == ConfigProblems.limit)
        #expect(problems.count == ConfigProblems.limit + 5)
        #expect(problems.text.hasSuffix("config.json:1000:1: is wrong\nand 5 more problems"))
    }

    @Test func keysOfThePlatformAreNamedButNotReported() throws {
        do throws(ConfigError) {
            _ = try SampleConfig(json: #"{"type": "x", "table": "t", "transfroms": []}"#, reserved: ["type", "transforms"])
            Issue.record("decoded")
        } catch {
            #expect(
                error.description == """
                    config.json:1:29: transfroms: unknown key `transfroms`; did you mean `transforms`?
                      valid keys: type, transforms, \(Self.validKeys)
                    """)
        }
    }

    @Test func keysOfTheModuleAreLeftAloneByThePlatform() throws {
        let problems = ConfigProblems(file: "config.json")
        let node = try #require(JSONReader.read(#"{"max_attempts": 3, "table": "t"}"#, problems: problems))
        let config = SampleConfig.Retry.decode(node, path: .root, problems: problems, keys: .open)
        #expect(config?.maxAttempts == 3)
        #expect(problems.isEmpty)
    }
}
