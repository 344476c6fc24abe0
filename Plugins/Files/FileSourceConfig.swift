package import Martlet

/// The fields of `"type": "file"` in a source.
package struct FileSourceConfig: ModuleConfig {
    /// What a line holds.
    package enum Content: String, CaseIterable, ConfigValue {
        case json, text
    }

    /// Where a file begins that the source has not seen before.
    package enum Start: String, CaseIterable, ConfigValue {
        case beginning, end
    }

    let path: ConfigFilePath
    let content: Content
    let start: Start
    let pollMilliseconds: Int
    let batchEvents: Int
    let maxLineBytes: Int
    let maxFiles: Int

    package init(from fields: inout ConfigFields) {
        path = fields.required(
            "path", "The file to follow; `*`, `?` and `[…]` in it follow all that match.", example: "/var/log/app/*.ndjson")
        content = fields.optional(
            "content", default: .json, "What a line holds: `json`, or `text`, which becomes `{\"line\": \"…\"}`.")
        start = fields.optional(
            "start", default: .beginning, "Where to begin in files that are there when the source runs for the first time. Later ones are read from their beginning.")
        pollMilliseconds = fields.optional("poll_ms", default: 250, in: 10...600_000, "How often files are looked at.")
        batchEvents = fields.optional("batch_events", default: 500, in: 1...100_000, "Lines handed on at once.")
        maxLineBytes = fields.optional(
            "max_line_bytes", default: 1_048_576, in: 64...268_435_456, "The longest line; a longer one is skipped, logged and counted.")
        maxFiles = fields.optional("max_files", default: 1000, in: 1...100_000, "Files followed at once; further matches are left alone, and logged.")
    }
}
