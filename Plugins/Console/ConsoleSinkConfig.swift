public import Martlet

/// The fields of `"type": "console"`.
public struct ConsoleSinkConfig: ModuleConfig {
    /// What to print for each record; nil for one JSON object.
    public let template: ConfigText?

    public init(from fields: inout ConfigFields) {
        template = fields.optional(
            "template",
            "The line to print for each record, a template; without it a JSON object with topic, partition, offset, key "
                + "and payload.",
            example: "${@key}: ${/text}")
    }
}
