package import Martlet

/// One entry of `groups`.
package struct GroupConfig: ModuleConfig {
    package enum Start: String, CaseIterable, ConfigValue {
        case earliest, latest
    }

    package let topics: [ConfigText]
    package let transforms: [ConfigModule<TransformKind>]
    package let sink: ConfigModule<SinkKind>?
    package let deliverTo: ConfigText?
    package let start: Start
    package let batchEvents: Int
    package let batchBytes: Int
    package let batchWaitMilliseconds: Int
    package let commitIntervalMilliseconds: Int
    package let retry: RetryConfig
    package let isPaused: Bool

    package init(from fields: inout ConfigFields) {
        topics = fields.required("topics", "Names from `topics`.", example: ["notifications"])
        transforms = fields.optional("transforms", default: [], "Applied to each record before the sink.")
        sink = fields.optional("sink", "Where the records go.")
        deliverTo = fields.optional("deliver_to", "A name from `channels`, instead of a sink.")
        start = fields.optional("start", default: .earliest, "Where a group without a committed offset begins.")
        batchEvents = fields.optional(
            "batch_events", default: 1000, in: 1...100_000, "Records handed to the sink at once, at most.")
        batchBytes = fields.optional(
            "batch_bytes", default: 1_048_576, in: 1024...(1 << 28), "Bytes read from the log at once, about.")
        batchWaitMilliseconds = fields.optional(
            "batch_wait_ms", default: 0, in: 0...60_000, "How long a batch that is not full waits for more records.")
        commitIntervalMilliseconds = fields.optional(
            "commit_interval_ms", default: 100, in: 0...60_000,
            "How often the offset is committed to the log; a crash redelivers what came after.")
        retry = fields.section("retry", "Waits between tries of a failing batch.")
        isPaused = fields.optional("paused", default: false, "Whether the group starts paused.")
        if let sink, deliverTo != nil {
            _ = sink
            fields.problem(
                at: "deliver_to", with: ["sink"], "a group has a `sink` or a `deliver_to`, not both", hint: "remove one of them")
        } else if sink == nil, deliverTo == nil {
            fields.problem(
                at: "sink", with: ["deliver_to"], "a group needs a `sink` or a `deliver_to`", hint: "sink: an object with a `type`")
        }
        if topics.isEmpty {
            fields.problem(at: "topics", "a group reads at least one topic", found: "an empty list")
        }
    }
}

/// The block `retry` of a group.
package struct RetryConfig: ModuleConfig {
    package let initialMilliseconds: Int
    package let maxMilliseconds: Int

    package init(from fields: inout ConfigFields) {
        initialMilliseconds = fields.optional(
            "initial_ms", default: 100, in: 1...600_000, "The wait after the first failure; it doubles, with jitter.")
        maxMilliseconds = fields.optional(
            "max_ms", default: 5_000, in: 1...86_400_000,
            "The longest wait, and so how long the group lags behind a database or a bus that has come back.")
        if initialMilliseconds > maxMilliseconds {
            fields.problem(
                at: "max_ms", with: ["initial_ms"], "must be at least `initial_ms` (\(initialMilliseconds))", found: String(maxMilliseconds))
        }
    }
}
