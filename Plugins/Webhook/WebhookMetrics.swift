import Martlet

/// The counters of one channel.
struct WebhookMetrics: Sendable {
    private let outcomes: [String: Counter]
    private let states: [EndpointRow.State: Gauge]
    private let latency: Histogram
    let inFlight: Gauge
    let taken: Counter
    let removed: Counter

    init(_ registry: MetricsRegistry, channel: String) {
        let labels = [("channel", channel)]
        outcomes = Dictionary(
            uniqueKeysWithValues: ["delivered", "retried", "failed"].map { outcome in
                let counter = registry.counter(
                    "martlet_webhook_attempts_total", "Attempts, by what became of the delivery.", labels: labels + [("outcome", outcome)])
                return (outcome, counter)
            })
        states = Dictionary(
            uniqueKeysWithValues: [EndpointRow.State.active, .paused, .disabled].map { state in
                (state, registry.gauge("martlet_webhook_endpoints", "Endpoints.", labels: labels + [("state", state.rawValue)]))
            })
        latency = registry.histogram("martlet_webhook_latency_seconds", "From sending a request to its answer.", labels: labels)
        inFlight = registry.gauge("martlet_webhook_in_flight", "Requests under way.", labels: labels)
        taken = registry.counter("martlet_webhook_queued_total", "Deliveries that were queued.", labels: labels)
        removed = registry.counter("martlet_webhook_removed_total", "Finished deliveries that were removed with their attempts.", labels: labels)
    }

    func attempted(_ result: AttemptResult, _ meaning: Answer.Meaning, _ duration: Duration) {
        switch result.next {
        case .delivered: outcomes["delivered"]?.add()
        case .retry: outcomes["retried"]?.add()
        case .failed: outcomes["failed"]?.add()
        }
        latency.record(duration)
    }

    func changed(from old: EndpointRow.State?, to new: EndpointRow.State) {
        if let old { states[old]?.add(-1) }
        states[new]?.add(1)
    }

    func forget(_ state: EndpointRow.State) {
        states[state]?.add(-1)
    }
}
