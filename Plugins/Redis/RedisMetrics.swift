import Martlet

/// What one `redis` bus counts.
struct RedisMetrics: Sendable {
    let published: Counter
    let received: Counter
    let foreign: Counter
    let gaps: Counter
    let reconnections: Counter
    let publisherConnected: Gauge
    let subscriberConnected: Gauge

    init(_ registry: MetricsRegistry, bus: String) {
        let labels = [("pubsub", bus)]
        published = registry.counter(
            "martlet_redis_published_total", "Messages that the server has taken.", labels: labels)
        received = registry.counter("martlet_redis_received_total", "Messages that the server brought.", labels: labels)
        foreign = registry.counter(
            "martlet_redis_foreign_total", "Messages brought that no Martlet host has published.", labels: labels)
        gaps = registry.counter(
            "martlet_redis_gaps_total", "Times that a subscription may have missed messages.", labels: labels)
        reconnections = registry.counter(
            "martlet_redis_reconnections_total", "Connections made anew after a loss.", labels: labels)
        func connected(_ role: String) -> Gauge {
            registry.gauge(
                "martlet_redis_connected", "Whether the connection is up.", labels: labels + [("connection", role)])
        }
        publisherConnected = connected("publisher")
        subscriberConnected = connected("subscriber")
    }
}
