import Martlet

/// A config with one field of each type, as a module author would write it.
struct SampleConfig: ModuleConfig {
    enum OnConflict: String, CaseIterable, ConfigValue {
        case fail, ignore, replace
    }

    struct Retry: ModuleConfig {
        let maxAttempts: Int
        let delayMilliseconds: Int

        init(from fields: inout ConfigFields) {
            maxAttempts = fields.optional("max_attempts", default: 5, in: 1...100, "Attempts before giving up.")
            delayMilliseconds = fields.optional("delay_ms", default: 200, in: 0...60_000, "Wait before the second attempt.")
        }
    }

    struct Step: ModuleConfig {
        let id: String
        let sql: ConfigText

        init(from fields: inout ConfigFields) {
            id = fields.required("id", "The step's name.", example: "001-likes")
            sql = fields.required("sql", "The statement.")
        }
    }

    let table: String
    let batchEvents: Int
    let onConflict: OnConflict
    let isEager: Bool
    let ratio: Double
    let limit: Int?
    let columns: ConfigMap<ConfigText>
    let tags: [String]
    let retry: Retry
    let steps: [Step]
    let schema: ConfigObject?
    let payload: JSONNode?

    init(from fields: inout ConfigFields) {
        table = fields.required("table", "The table that rows are written to.", example: "notifications")
        batchEvents = fields.optional("batch_events", default: 500, in: 1...10_000, "Records written in one transaction.")
        onConflict = fields.optional("on_conflict", default: .fail, "What happens to a row that is there already.")
        isEager = fields.optional("eager", default: false, "Write at once.")
        ratio = fields.optional("ratio", default: 0.5, in: 0...1, "Share of the time.")
        limit = fields.optional("limit", in: 1...Int.max, "Rows at most.")
        columns = fields.optional("columns", default: [:], "A template for each column.", example: ["id": "${@id}"])
        tags = fields.optional("tags", default: [], "Words.")
        retry = fields.section("retry", "How failures are retried.")
        steps = fields.optional("steps", default: [], "Statements run at start.")
        schema = fields.optional("schema", "A JSON Schema.")
        payload = fields.optional("payload", "Any JSON.")
        if onConflict == .replace, columns.isEmpty {
            fields.problem(at: "on_conflict", with: ["columns"], "`replace` needs `columns`")
        }
    }
}
