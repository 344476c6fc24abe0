package import Martlet

/// One entry of `topics`.
package struct TopicConfig: ModuleConfig {
    package enum Cleanup: String, CaseIterable, ConfigValue {
        case delete, compact
    }

    package enum Compression: String, CaseIterable, ConfigValue {
        case none, lz4, zstd
    }

    package let place: ConfigPlace
    package let partitions: Int
    package let retentionHours: Int
    package let retentionBytes: Int?
    package let segmentBytes: Int
    package let cleanup: Cleanup
    package let compression: Compression
    package let deduplicate: DeduplicateConfig?
    /// Where `deduplicate` stands.
    package let deduplicatePlace: ConfigPlace
    /// An object, or the path of a file.
    package let schema: JSONNode?

    package init(from fields: inout ConfigFields) {
        place = fields.place
        partitions = fields.optional(
            "partitions", default: 1, in: 1...1024, "Ordered parts of the topic; adding some moves keys.")
        retentionHours = fields.optional(
            "retention_hours", default: 168, in: 0...1_000_000, "How long events are kept; 0 keeps them for ever.")
        retentionBytes = fields.optional(
            "retention_bytes", in: 1_048_576...(1 << 50), "The most that a partition keeps.")
        segmentBytes = fields.optional(
            "segment_bytes", default: 67_108_864, in: 1_048_576...(1 << 30), "The size of a segment file.")
        cleanup = fields.optional(
            "cleanup", default: .delete, "`delete` removes old segments, `compact` keeps the newest record of each key.")
        compression = fields.optional(
            "compression", default: .none,
            "How appended batches are compressed: `lz4` is quick, `zstd` small; what lies on disk already stays as it is.")
        deduplicate = fields.optional(
            "deduplicate", "Keeps an event once: one whose id was seen lately is acknowledged, and not kept again.")
        deduplicatePlace = fields.place(of: "deduplicate")
        schema = fields.optional(
            "schema",
            "A JSON Schema, or the path of a file that holds one, that payloads must meet: every way into the topic refuses others.",
            example: ["type": "object", "required": ["recipient"]])
    }

    package var settings: TopicSettings {
        TopicSettings(
            partitions: partitions,
            retentionMilliseconds: retentionHours == 0 ? nil : Int64(retentionHours) * 3_600_000,
            retentionBytes: retentionBytes.map(Int64.init), segmentBytes: segmentBytes,
            cleanup: cleanup == .delete ? .delete : .compact, compression: settingsCompression,
            deduplication: deduplicate.map {
                TopicSettings.Deduplication(
                    windowEvents: $0.windowEvents, windowMilliseconds: Int64($0.windowSeconds) * 1000)
            })
    }

    private var settingsCompression: TopicSettings.Compression {
        switch compression {
        case .none: .none
        case .lz4: .lz4
        case .zstd: .zstd
        }
    }
}

/// The block `deduplicate` of a topic: the window of event ids that the log knows, over all partitions.
package struct DeduplicateConfig: ModuleConfig {
    package let windowEvents: Int
    package let windowSeconds: Int

    package init(from fields: inout ConfigFields) {
        windowEvents = fields.optional(
            "window_events", default: 100_000, in: 1...1_000_000,
            "The newest events of the topic whose ids are known; each takes about 100 bytes of memory.")
        windowSeconds = fields.optional(
            "window_seconds", default: 3_600, in: 1...2_592_000, "The age up to which ids are known.")
    }
}
