/// Names of tables and columns in SQL text.
package enum SQLIdentifier {
    /// The name in double quotes, which keep its case and any character.
    package static func quoted(_ name: String) -> String {
        var text = "\""
        for character in name.unicodeScalars {
            if character == "\"" { text += "\"" }
            text.unicodeScalars.append(character)
        }
        return text + "\""
    }
}
