import Martlet
import Testing

struct ModuleConfigTests {
    @Test func decodesEachTypeOfField() throws {
        let config = try SampleConfig(
            json: #"""
                {
                  "$schema": "x", "description": "words",
                  "table": "likes", "batch_events": 5e2, "on_conflict": "ignore", "eager": true, "ratio": 1, "limit": 7,
                  "columns": {"b": "${/x}", "a": "$${y"}, "tags": ["p", "q"], "retry": {"max_attempts": 9},
                  "steps": [{"id": "1", "sql": "SELECT 1"}], "schema": {"type": "object", "pattern": "^$${"}, "payload": [1, null]
                }
                """#)
        #expect(config.table == "likes")
        #expect(config.batchEvents == 500)
        #expect(config.onConflict == .ignore)
        #expect(config.isEager)
        #expect(config.ratio == 1)
        #expect(config.limit == 7)
        #expect(config.columns.keys == ["b", "a"])
        #expect(config.columns["a"]?.source == "$${y")
        #expect(config.columns["a"]?.plain == "${y")
        #expect(config.tags == ["p", "q"])
        #expect(config.retry.maxAttempts == 9)
        #expect(config.retry.delayMilliseconds == 200)
        #expect(config.steps.map(\.sql.plain) == ["SELECT 1"])
        #expect(config.schema?.jsonText == #"{"type":"object","pattern":"^${"}"#)
        #expect(config.payload.map { JSONWriter.text($0) } == "[1,null]")
    }

    @Test func keepsDefaultsOfWhatIsLeftOut() throws {
        let config = try SampleConfig(json: #"{"table": "likes"}"#)
        #expect(config.batchEvents == 500)
        #expect(config.onConflict == .fail)
        #expect(config.limit == nil)
        #expect(config.columns.isEmpty)
        #expect(config.retry.maxAttempts == 5)
        #expect(config.schema == nil)
    }
}
