import Martlet

/// Counters of one source.
struct SourceMetrics: Sendable {
    let received: Counter
    let latency: Histogram
    private let accepted: Counter
    private let unchanged: Counter
    private let filtered: Counter
    private let rejected: Counter
    private let unavailable: Counter

    init(registry: MetricsRegistry, source: String) {
        func outcome(_ name: String) -> Counter {
            registry.counter(
                "martlet_source_outcomes_total", "Inputs of a source by what became of them.",
                labels: [("source", source), ("outcome", name)])
        }
        received = registry.counter(
            "martlet_source_received_total", "Inputs that a source brought in.", labels: [("source", source)])
        latency = registry.histogram(
            "martlet_source_seconds", "Time from an input's arrival to its outcome.", labels: [("source", source)])
        accepted = outcome("accepted")
        unchanged = outcome("unchanged")
        filtered = outcome("filtered")
        rejected = outcome("rejected")
        unavailable = outcome("unavailable")
    }

    func count(_ outcomes: [IntakeOutcome]) {
        for outcome in outcomes {
            switch outcome {
            case .saved, .published, .sent: accepted.add()
            case .unchanged: unchanged.add()
            case .filtered: filtered.add()
            case .rejected, .conflict: rejected.add()
            case .unavailable: unavailable.add()
            }
        }
    }
}
