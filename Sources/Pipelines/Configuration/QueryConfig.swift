package import Martlet

/// One entry of `queries`: a statement served over HTTP.
package struct QueryConfig: ModuleConfig {
    package enum Method: String, CaseIterable, ConfigValue {
        case get = "GET"
    }

    package let method: Method
    package let path: ConfigText
    package let access: AccessConfig
    package let database: ConfigText
    package let sql: ConfigText
    package let parameters: ConfigMap<ConfigText>
    package let maxRows: Int

    package init(from fields: inout ConfigFields) {
        method = fields.optional("method", default: .get, "The HTTP method.")
        path = fields.required("path", "The path, with `{name}` segments.", example: "/users/{user}/notifications")
        access = AccessConfig(from: &fields)
        database = fields.required("database", "A name from `databases`.", example: "main")
        sql = fields.required("sql", "One statement with named parameters.")
        parameters = fields.optional(
            "parameters", default: [:], "A template for each parameter: `${@path.NAME}`, `${@query.NAME:-default}`.")
        maxRows = fields.optional("max_rows", default: 1000, in: 1...100_000, "Rows in an answer, at most.")
    }
}
