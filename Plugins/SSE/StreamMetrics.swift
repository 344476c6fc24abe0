import Martlet

/// The counters of one channel.
struct StreamMetrics: Sendable {
    /// Why a connection ended.
    enum Disconnect: String, CaseIterable {
        /// The client left, or its connection broke.
        case client
        /// More than `buffer_bytes` waited for it.
        case slow
        /// The host told it to reconnect.
        case drain
        /// The channel closed.
        case closed
        /// The caller's credentials ended.
        case expired
        /// No event came for `idle_timeout_seconds`.
        case idle
    }

    let connections: Gauge
    let delivered: Counter
    let bytes: Counter
    let replays: Counter
    let repairs: Counter
    let unrendered: Counter
    let dropped: Counter
    let putOff: Counter
    private let refusals: [ConnectionLimits.Verdict: Counter]
    private let disconnects: [Disconnect: Counter]
    private let gaps: [GapReason: Counter]

    init(_ registry: MetricsRegistry, channel: String) {
        let labels = [("channel", channel)]
        connections = registry.gauge("martlet_sse_connections", "Open streams.", labels: labels)
        delivered = registry.counter("martlet_sse_delivered_total", "Events written to streams.", labels: labels)
        bytes = registry.counter("martlet_sse_bytes_total", "Bytes of content written to streams.", labels: labels)
        replays = registry.counter("martlet_sse_replays_total", "Streams resumed from the log.", labels: labels)
        repairs = registry.counter(
            "martlet_sse_repairs_total", "Partitions reread from the log because the bus lost messages.", labels: labels)
        unrendered = registry.counter(
            "martlet_sse_unrendered_total", "Events that the templates of the channel could not render.", labels: labels)
        dropped = registry.counter(
            "martlet_sse_dropped_total", "Events dropped for clients that were too slow for them.", labels: labels)
        putOff = registry.counter(
            "martlet_sse_put_off_total", "Requests to resume that were told to come back, since the log was away.", labels: labels)
        let verdicts: [(ConnectionLimits.Verdict, String)] = [
            (.full, "full"), (.tooFast, "rate"), (.keyFull, "key"), (.userFull, "user"), (.addressFull, "address"),
        ]
        refusals = Dictionary(
            uniqueKeysWithValues: verdicts.map { verdict, limit in
                let counter = registry.counter(
                    "martlet_sse_refused_total", "Streams that a limit did not let in.", labels: labels + [("limit", limit)])
                return (verdict, counter)
            })
        disconnects = Dictionary(
            uniqueKeysWithValues: Disconnect.allCases.map { reason in
                let counter = registry.counter(
                    "martlet_sse_disconnects_total", "Streams that ended.", labels: labels + [("reason", reason.rawValue)])
                return (reason, counter)
            })
        gaps = Dictionary(
            uniqueKeysWithValues: GapReason.allCases.map { reason in
                let counter = registry.counter(
                    "martlet_sse_gaps_total", "Gap events written to streams.", labels: labels + [("reason", reason.rawValue)])
                return (reason, counter)
            })
    }

    func disconnected(_ reason: Disconnect) {
        disconnects[reason]?.add()
    }

    func refused(_ verdict: ConnectionLimits.Verdict) {
        refusals[verdict]?.add()
    }

    func gap(_ reason: GapReason) {
        gaps[reason]?.add()
    }
}
