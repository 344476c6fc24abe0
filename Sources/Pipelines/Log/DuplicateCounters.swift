import EmbeddedLog
import Martlet
import Synchronization

/// Counts the events that were acknowledged without being kept again, by topic and by how they were recognised.
final class DuplicateCounters: Sendable {
    private enum Reason: String, CaseIterable {
        /// The topic's window knows the event's id.
        case eventID = "event_id"
        /// The producer repeated a batch, with its sequence.
        case sequence
        /// A row of an outbox was there.
        case row
    }

    private let registry: MetricsRegistry
    private let counters = Mutex<[TopicName: [Counter]]>([:])

    init(_ registry: MetricsRegistry) { self.registry = registry }

    /// Quick unless there are duplicates.
    func note(_ receipts: [AppendReceipt], of topic: TopicName) {
        for receipt in receipts where receipt.duplicates > 0 {
            if receipt.isRepetition {
                counter(.sequence, topic).add(receipt.duplicates)
            } else {
                counter(.eventID, topic).add(receipt.known.count)
                counter(.row, topic).add(receipt.earlierRows)
            }
        }
    }

    private func counter(_ reason: Reason, _ topic: TopicName) -> Counter {
        let all = counters.withLock { counters -> [Counter] in
            if let known = counters[topic] { return known }
            let made = Reason.allCases.map { reason in
                registry.counter(
                    "martlet_log_duplicate_events_total", "Events acknowledged that the log had already, and did not keep again.",
                    labels: [("topic", topic.text), ("by", reason.rawValue)])
            }
            counters[topic] = made
            return made
        }
        return all[Reason.allCases.firstIndex(of: reason) ?? 0]
    }
}
