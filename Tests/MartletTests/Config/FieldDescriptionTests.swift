import Martlet
import Testing

struct FieldDescriptionTests {
    private enum SinkKind: ConfigModuleKind {
        static let kindName = "sink"
    }

    private struct Group: ModuleConfig {
        let sink: ConfigModule<SinkKind>
        let startAt: Int

        init(from fields: inout ConfigFields) {
            sink = fields.required("sink", "Where the records go.")
            startAt = fields.optional("start_at_ms", default: 0, in: 0...Int.max, "First record.")
        }
    }

    /// A type that holds itself.
    private struct Tree: ModuleConfig {
        let children: [Tree]

        init(from fields: inout ConfigFields) {
            children = fields.optional("children", default: [], "Subtrees.")
        }
    }

    private struct ConsoleConfig: ModuleConfig {
        let color: Bool

        init(from fields: inout ConfigFields) {
            color = fields.optional("color", default: false, "Whether to use colour.")
        }
    }

    @Test func declarationIsDescribed() {
        let fields = SampleConfig.describe()
        #expect(fields.map(\.name).prefix(4) == ["table", "batch_events", "on_conflict", "eager"])
        #expect(
            JSONWriter.text(fields[1].json)
                == #"{"name":"batch_events","type":"integer","required":false,"unit":"events","default":500,"minimum":1,"#
                + #""maximum":10000,"description":"Records written in one transaction."}"#)
        #expect(
            JSONWriter.text(fields[2].json)
                == #"{"name":"on_conflict","type":"choice","required":false,"default":"fail","#
                + #""choices":["fail","ignore","replace"],"description":"What happens to a row that is there already."}"#)
        #expect(fields[0].isRequired)
        #expect(fields[0].example.map { JSONWriter.text($0) } == #""notifications""#)
        #expect(fields[5].range?.maximum == nil)
        #expect(fields[8].fields.map(\.name) == ["max_attempts", "delay_ms"])
        #expect(fields[9].fields.map(\.name) == ["id", "sql"])
        #expect(Tree.describe().map(\.typeName) == ["list of object"])
    }

    @Test func tableListsNestedFields() {
        #expect(
            FieldTable(SampleConfig.describe()).markdown == """
                | field | type | default | values | description |
                |---|---|---|---|---|
                | `table` | string | required |  | The table that rows are written to. Example: `"notifications"`. |
                | `batch_events` | integer, events | `500` | from 1 to 10000 | Records written in one transaction. |
                | `on_conflict` | choice | `"fail"` | "fail", "ignore", "replace" | What happens to a row that is there already. |
                | `eager` | boolean | `false` |  | Write at once. |
                | `ratio` | number | `0.5` | from 0.0 to 1.0 | Share of the time. |
                | `limit` | integer |  | at least 1 | Rows at most. |
                | `columns` | map of string | `{}` |  | A template for each column. Example: `{"id":"${@id}"}`. |
                | `tags` | list of string | `[]` |  | Words. |
                | `retry` | object |  |  | How failures are retried. |
                | `retry.max_attempts` | integer | `5` | from 1 to 100 | Attempts before giving up. |
                | `retry.delay_ms` | integer, milliseconds | `200` | from 0 to 60000 | Wait before the second attempt. |
                | `steps` | list of object | `[]` |  | Statements run at start. |
                | `steps[].id` | string | required |  | The step's name. Example: `"001-likes"`. |
                | `steps[].sql` | string | required |  | The statement. |
                | `schema` | object |  |  | A JSON Schema. |
                | `payload` | any JSON |  |  | Any JSON. |

                """)
    }

    @Test func schemaHoldsEveryField() throws {
        let schema = JSONSchemaBuilder().object(SampleConfig.describe())
        let properties = try #require(schema["properties"])
        #expect(JSONWriter.text(try #require(schema["required"])) == #"["table"]"#)
        #expect(JSONWriter.text(try #require(schema["additionalProperties"])) == "false")
        #expect(
            JSONWriter.text(try #require(properties["batch_events"]))
                == #"{"description":"Records written in one transaction.","anyOf":[{"type":"integer","minimum":1,"maximum":10000},"#
                + #"{"type":"string","pattern":"^\\$\\{(env|file):.*\\}$"}],"default":500}"#)
        #expect(
            JSONWriter.text(try #require(properties["columns"]))
                == #"{"description":"A template for each column.","type":"object","additionalProperties":{"type":"string"},"#
                + #""default":{},"examples":[{"id":"${@id}"}]}"#)
        #expect(properties["$schema"] != nil)
        #expect(properties["retry"]?["properties"]?["delay_ms"] != nil)
    }

    @Test func schemaOfAModuleDependsOnItsType() throws {
        let sinks = ModuleKindDescription(
            kindName: "sink", sharedFields: SampleConfig.Retry.describe(),
            modules: [
                ModuleDescription(name: "table", summary: "Writes rows.", fields: SampleConfig.describe()),
                ModuleDescription(name: "console", summary: "Prints records.", fields: ConsoleConfig.describe()),
            ])
        let schema = JSONSchemaBuilder(kinds: [sinks]).document(title: "Martlet config", fields: Group.describe())
        #expect(
            schema["properties"]?["sink"].map { JSONWriter.text($0) }
                == ##"{"description":"Where the records go.","$ref":"#/$defs/sink"}"##)
        let definition = try #require(schema["$defs"]?["sink"])
        #expect(
            JSONWriter.text(definition)
                == ##"{"type":"object","required":["type"],"properties":{"type":{"enum":["table","console"]}},"allOf":["##
                + ##"{"if":{"properties":{"type":{"const":"table"}},"required":["type"]},"then":{"$ref":"#/$defs/sink.table"}},"##
                + ##"{"if":{"properties":{"type":{"const":"console"}},"required":["type"]},"then":{"$ref":"#/$defs/sink.console"}}]}"##)
        let console = try #require(schema["$defs"]?["sink.console"]?["properties"])
        guard case .object(let properties) = console.kind else {
            Issue.record("not an object")
            return
        }
        #expect(properties.keys == ["type", "color", "max_attempts", "delay_ms", "$schema", "description"])
        #expect(
            console["type"].map { JSONWriter.text($0) } == #"{"const":"console","description":"Prints records."}"#)
    }

    @Test func moduleIsDecodedInTwoSteps() throws {
        let problems = ConfigProblems(file: "config.json")
        let json = #"{"sink": {"type": "console", "color": true, "retry": 1, "clor": 2}}"#
        let node = try #require(JSONReader.read(json, problems: problems))
        let group = try #require(Group.decode(node, path: .root, problems: problems))
        #expect(group.sink.type == "console")
        #expect(group.sink.config(ConsoleConfig.self, reserved: ["type", "retry"], problems: problems) == nil)
        group.sink.reportUnknownType(among: ["consoles", "table"], problems: problems)
        #expect(
            problems.text == """
                config.json:1:19: sink.type: unknown sink type `console`; did you mean `consoles`?
                  valid types: consoles, table
                config.json:1:57: sink.clor: unknown key `clor`; did you mean `color`?
                  valid keys: type, retry, color
                """)
    }

    @Test(arguments: [
        ("{}", "config.json:1:1: missing required key `sink`\n  sink: sink"),
        (#"{"sink": {}}"#, "config.json:1:10: sink: missing required key `type`, which names the sink"),
        (#"{"sink": 3}"#, "config.json:1:10: sink: must be an object with a `type`, a sink, found 3"),
        (#"{"sink": {"type": 3}}"#, "config.json:1:19: sink.type: must be a string, found 3"),
    ])
    func moduleNeedsAType(_ json: String, _ report: String) {
        do throws(ConfigError) {
            _ = try Group(json: json)
            Issue.record("decoded")
        } catch {
            #expect(error.description == report)
        }
    }
}
