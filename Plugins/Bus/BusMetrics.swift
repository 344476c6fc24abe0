import Martlet

/// What a listening `memory` bus counts.
struct BusMetrics: Sendable {
    let connections: Gauge
    let refused: Counter
    let slow: Counter

    init(_ registry: MetricsRegistry, bus: String) {
        let labels = [("pubsub", bus)]
        connections = registry.gauge("martlet_bus_connections", "Redis clients connected to the bus.", labels: labels)
        refused = registry.counter(
            "martlet_bus_refused_total", "Connections refused because there were too many.", labels: labels)
        slow = registry.counter(
            "martlet_bus_slow_clients_total", "Clients cut off because they read too slowly.", labels: labels)
    }
}
