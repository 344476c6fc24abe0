package import Martlet

/// One entry of `topics`.
package struct TopicConfig: ModuleConfig {
    package enum Cleanup: String, CaseIterable, ConfigValue {
        case delete, compact
    }

    package let place: ConfigPlace
    package let partitions: Int
    package let retentionHours: Int
    package let retentionBytes: Int?
    package let segmentBytes: Int
    package let cleanup: Cleanup

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
    }

    package var settings: TopicSettings {
        TopicSettings(
            partitions: partitions,
            retentionMilliseconds: retentionHours == 0 ? nil : Int64(retentionHours) * 3_600_000,
            retentionBytes: retentionBytes.map(Int64.init), segmentBytes: segmentBytes,
            cleanup: cleanup == .delete ? .delete : .compact)
    }
}
