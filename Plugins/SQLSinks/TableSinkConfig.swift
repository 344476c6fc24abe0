public import Martlet

/// The config of a `table` sink.
public struct TableSinkConfig: ModuleConfig {
    /// What happens to a row that breaks a unique constraint.
    public enum OnConflict: String, CaseIterable, ConfigValue {
        case ignore, update, fail
    }

    public let database: ConfigText
    public let table: ConfigText
    public let columns: ConfigMap<ConfigText>
    public let onConflict: OnConflict
    public let conflictColumns: [ConfigText]

    public init(from fields: inout ConfigFields) {
        database = fields.required("database", "The database, by its name under `databases`.", example: "main")
        table = fields.required("table", "The table that rows are inserted into.", example: "notifications")
        columns = fields.required(
            "columns", "A template for each column; what is not named gets the table's default.",
            example: ["id": "${@id}", "recipient": "${/recipient}"])
        onConflict = fields.optional(
            "on_conflict", default: .ignore,
            "A row that is there already: `ignore` keeps it, `update` overwrites its columns, `fail` dead-letters the record.")
        conflictColumns = fields.optional(
            "conflict_columns", default: [],
            "The unique columns that tell whether a row is there; needed for `update`. Left out, any unique constraint does.",
            example: ["id"])
    }
}
