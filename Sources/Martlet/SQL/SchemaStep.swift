/// One step of a database's `schema`: SQL that runs once, in the order of the list, and is then recorded.
public struct SchemaStep: ModuleConfig {
    /// Names the step in the database's record; it must not change once the step has run.
    public let id: String
    /// One or several statements.
    public let sql: ConfigText

    public init(from fields: inout ConfigFields) {
        id = fields.required("id", "Names the step for ever; unique in the list.", example: "001-likes")
        sql = fields.required(
            "sql", "The statements of the step, separated by `;`. A step that has run must not change: add another.",
            example: "CREATE TABLE likes (post_id BIGINT NOT NULL, actor TEXT NOT NULL, PRIMARY KEY (post_id, actor))")
        if id.isEmpty { fields.problem(at: "id", "must not be empty") }
    }

    /// The text that runs.
    public var text: String { sql.plain }

    /// A checksum of the step's SQL, 16 hexadecimal digits: FNV-1a of 64 bits. It notices edits, not attacks.
    public var checksum: String {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for byte in text.utf8 { hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01B3 }
        let digits = String(hash, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }

    /// The error for a step that has run with another text.
    package static func changed(_ step: SchemaStep, database: String) -> ModuleError {
        .blocked(
            "database.schema_changed",
            "database `\(database)`: schema step `\(step.id)` has run already, with another text; put its old text back and add a "
                + "new step for the change")
    }

    /// Reports what can be seen without a database: ids used twice, and statements that are refused.
    ///
    /// - Returns: whether there was nothing to report.
    public static func check(_ steps: [SchemaStep], dialect: SQLDialect, context: ModuleContext) -> Bool {
        var isGood = true
        for (index, step) in steps.enumerated() {
            if let earlier = steps[..<index].firstIndex(where: { $0.id == step.id }) {
                context.problem(
                    at: step.sql.place,
                    "the id `\(step.id)` is used twice in the schema, by steps \(earlier + 1) and \(index + 1); ids are unique")
                isGood = false
            }
            do {
                try dialect.checkScript(step.text)
            } catch {
                context.problem(at: step.sql.place(atPlainOffset: error.offset ?? 0), "step `\(step.id)`: \(error.message)")
                isGood = false
            }
        }
        return isGood
    }
}
