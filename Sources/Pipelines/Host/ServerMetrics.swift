import HTTPServer
import Martlet

/// The public listener's counters as metrics.
struct ServerMetrics: Sendable {
    private let open: Gauge
    private let streams: Gauge
    private let accepted: Gauge
    private let requests: Gauge
    private let refused: Gauge
    private let rejected: Gauge
    private let bytesIn: Gauge
    private let bytesOut: Gauge

    init(registry: MetricsRegistry) {
        open = registry.gauge("martlet_http_connections", "Open connections.")
        streams = registry.gauge("martlet_http_streams", "Open streams.")
        accepted = registry.externalCounter("martlet_http_accepted_total", "Connections accepted.")
        requests = registry.externalCounter("martlet_http_requests_total", "Requests parsed.")
        refused = registry.externalCounter("martlet_http_refused_total", "Connections refused at the limit.")
        rejected = registry.externalCounter("martlet_http_rejected_total", "Requests refused by the parser or a timeout.")
        bytesIn = registry.externalCounter("martlet_http_received_bytes_total", "Bytes received.")
        bytesOut = registry.externalCounter("martlet_http_sent_bytes_total", "Bytes sent.")
    }

    func update(_ counters: HTTPServerCounters) {
        open.set(counters.openConnections)
        streams.set(counters.openStreams)
        accepted.set(counters.accepted)
        requests.set(counters.requests)
        refused.set(counters.refused)
        rejected.set(counters.rejected)
        bytesIn.set(counters.bytesIn)
        bytesOut.set(counters.bytesOut)
    }
}
