package import Martlet

/// The fields of `"type": "file"` in a sink.
package struct FileSinkConfig: ModuleConfig {
    /// What a line holds.
    package enum Format: String, CaseIterable, ConfigValue {
        case payload, record
    }

    let path: ConfigFilePath
    let format: Format
    let rotateBytes: Int
    let rotateSeconds: Int

    package init(from fields: inout ConfigFields) {
        path = fields.required(
            "path", "What the files are called: lines go to `PATH.open`, and a finished file is renamed, with the time and a number before the ending.",
            example: "export/likes.ndjson")
        format = fields.optional(
            "format", default: .payload, "A line is the `payload`, or the whole `record`: topic, partition, offset, id, key, timestamp, headers, payload.")
        rotateBytes = fields.optional(
            "rotate_bytes", default: 134_217_728, in: 1024...(1 << 50), "A file that has grown to this size is finished.")
        rotateSeconds = fields.optional(
            "rotate_seconds", default: 3600, in: 1...31_536_000, "A file whose first line is so old is finished.")
    }
}
