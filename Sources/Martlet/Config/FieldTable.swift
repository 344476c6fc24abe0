/// A reference table of fields, those of nested objects included: `retry.max_attempts`, `topics.*.partitions`, `steps[].sql`.
package struct FieldTable: Sendable {
    /// One field under its full name.
    package struct Row: Sendable {
        /// The full name, with those of the objects around it.
        package let name: String
        /// The field.
        package let field: FieldDescription

        /// The type with its unit: `integer, milliseconds`.
        package var type: String {
            field.unit.map { "\(field.typeName), \($0.rawValue)" } ?? field.typeName
        }

        /// `required`, the default as JSON, or nothing.
        package var defaultText: String {
            field.isRequired ? "required" : field.defaultValue.map { JSONWriter.text($0) } ?? ""
        }

        /// The range or the choices, or nothing.
        package var values: String {
            field.range?.text ?? field.choices.map { "\"\($0)\"" }.joined(separator: ", ")
        }
    }

    /// All fields, each followed by those nested in it.
    package let rows: [Row]

    /// The table of these fields.
    package init(_ fields: [FieldDescription]) {
        rows = FieldTable.rows(fields, prefix: "")
    }

    /// The table in Markdown; empty without fields.
    package var markdown: String {
        guard !rows.isEmpty else { return "" }
        var lines = ["| field | type | default | values | description |", "|---|---|---|---|---|"]
        for row in rows {
            var summary = row.field.summary
            if let example = row.field.example { summary += " Example: `\(JSONWriter.text(example))`." }
            let isValue = !row.field.isRequired && !row.defaultText.isEmpty
            let cells = [
                "`\(row.name)`", row.type, isValue ? "`\(row.defaultText)`" : row.defaultText, row.values, summary,
            ]
            lines.append("| " + cells.map(FieldTable.escaped).joined(separator: " | ") + " |")
        }
        return lines.joined(separator: "\n") + "\n"
    }

    private static func rows(_ fields: [FieldDescription], prefix: String) -> [Row] {
        fields.flatMap { field -> [Row] in
            let name = prefix + field.name
            return [Row(name: name, field: field)] + rows(field.fields, prefix: name + suffix(field.shape) + ".")
        }
    }

    private static func suffix(_ shape: ConfigShape) -> String {
        switch shape.underlying {
        case .list(let item): "[]" + suffix(item)
        case .map(let value): ".*" + suffix(value)
        default: ""
        }
    }

    private static func escaped(_ cell: String) -> String {
        var text = ""
        for character in cell {
            switch character {
            case "|": text += "\\|"
            case "\n": text += " "
            default: text.append(character)
            }
        }
        return text
    }
}
