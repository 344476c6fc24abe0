package import Martlet

/// The block `log`.
package struct LogConfig: ModuleConfig {
    package enum Engine: String, CaseIterable, ConfigValue {
        case embedded
    }

    package enum Acknowledge: String, CaseIterable, ConfigValue {
        /// After the data is synced to disk.
        case fsync
        /// After the data is written, before it is synced: a loss of power loses acknowledged events.
        case written
    }

    package let engine: Engine
    package let acknowledge: Acknowledge
    package let minFreeBytes: Int
    package let maxQueuedBytes: Int
    package let maxRecordBytes: Int

    package init(from fields: inout ConfigFields) {
        engine = fields.optional("type", default: .embedded, "The engine: `embedded` keeps topics on the local disk.")
        acknowledge = fields.optional(
            "acknowledge", default: .fsync,
            "When an event counts as kept: `fsync` survives loss of power, `written` only a crash of the process.")
        minFreeBytes = fields.optional(
            "min_free_bytes", default: 268_435_456, in: 0...(1 << 50),
            "Free disk space below which the log refuses appends.")
        maxQueuedBytes = fields.optional(
            "max_queued_bytes", default: 67_108_864, in: 1_048_576...(1 << 40),
            "Events waiting to be written; beyond it appends are refused.")
        maxRecordBytes = fields.optional(
            "max_record_bytes", default: 1_048_576, in: 1024...(1 << 28), "The largest event.")
    }
}
