package import Martlet

/// How a group reads, as the config says.
package struct GroupSettings: Sendable {
    /// Where a group without a committed offset begins.
    package enum Start: String, Sendable, CaseIterable {
        case earliest, latest
    }

    package let name: GroupName
    package let topics: [TopicName]
    package var start: Start = .earliest
    /// Records handed to the sink at once, at most.
    package var batchEvents = 500
    /// Bytes read from the log at once, about.
    package var batchBytes = 1 << 20
    /// How long a batch that is not full waits for more records.
    package var batchWait: Duration = .zero
    /// How often the offset is committed to the log; a crash redelivers what came after.
    package var commitInterval: Duration = .milliseconds(100)
    package var retryInitial: Duration = .milliseconds(100)
    package var retryMaximum: Duration = .seconds(5)
    /// Whether the group starts paused.
    package var isPaused = false

    package init(name: GroupName, topics: [TopicName]) {
        self.name = name
        self.topics = topics
    }
}
