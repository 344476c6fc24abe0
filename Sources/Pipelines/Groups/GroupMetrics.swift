package import Martlet

/// A group's counters for one partition. Their sum is a promise:
/// `consumed = handled + filtered + dead_lettered + expired + in flight`, a consumed record counting once, by its worst outcome.
package struct GroupMetrics: Sendable {
    package let consumed: Counter
    package let handled: Counter
    package let filtered: Counter
    package let deadLettered: Counter
    package let expired: Counter
    package let retries: Counter
    package let inFlight: Gauge
    package let lag: Gauge
    package let batchLatency: Histogram

    package init(registry: MetricsRegistry, group: GroupName, topic: TopicName, partition: PartitionID) {
        let labels = [("group", group.text), ("topic", topic.text), ("partition", String(partition))]
        consumed = registry.counter("martlet_group_consumed_total", "Records read by a group.", labels: labels)
        handled = registry.counter("martlet_group_handled_total", "Records whose outputs the sink took.", labels: labels)
        filtered = registry.counter("martlet_group_filtered_total", "Records that a transform dropped.", labels: labels)
        deadLettered = registry.counter(
            "martlet_group_dead_lettered_total", "Records moved to the dead-letter topic.", labels: labels)
        expired = registry.counter(
            "martlet_group_expired_total", "Records that retention removed before the group read them.", labels: labels)
        retries = registry.counter("martlet_group_retries_total", "Writes tried again after a failure.", labels: labels)
        inFlight = registry.gauge("martlet_group_in_flight", "Records read and not yet settled.", labels: labels)
        lag = registry.gauge("martlet_group_lag", "Records between the group's offset and the end.", labels: labels)
        batchLatency = registry.histogram(
            "martlet_group_batch_seconds", "Time to settle one batch, retries included.", labels: [("group", group.text)])
    }
}
