/// One registered module, for documentation and the JSON Schema.
package struct ModuleDescription: Sendable {
    /// The name that `type` gives: `table`.
    package let name: String
    /// What it does, one sentence.
    package let summary: String
    /// The module's own fields, without the platform's.
    package let fields: [FieldDescription]

    /// Describes a module.
    package init(name: String, summary: String, fields: [FieldDescription]) {
        self.name = name
        self.summary = summary
        self.fields = fields
    }
}
