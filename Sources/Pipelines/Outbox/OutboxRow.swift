package import Martlet

/// A finished event in a database's outbox.
package struct OutboxRow: Sendable {
    /// Ascends with the order of commits, also across restarts.
    package let sequence: Int64
    package let topic: TopicName
    package let event: Event

    package init(sequence: Int64, topic: TopicName, event: Event) {
        self.sequence = sequence
        self.topic = topic
        self.event = event
    }

    /// About the memory it takes, for bounds.
    var byteCount: Int { 256 + event.byteCount }
}
