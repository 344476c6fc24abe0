/// The beginning of a statement for a message: one line, spaces collapsed.
package func sqlExcerpt(_ sql: String, limit: Int = 120) -> String {
    var text = ""
    var count = 0
    var isAfterSpace = true
    for character in sql {
        let isSpace = character.isWhitespace
        if isSpace && isAfterSpace { continue }
        if count == limit { return text + "…" }
        text.append(isSpace ? " " : character)
        count += 1
        isAfterSpace = isSpace
    }
    return text
}
