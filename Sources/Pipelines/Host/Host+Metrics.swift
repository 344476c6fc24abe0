import Martlet

extension Host {
    /// Registers the metrics that the host itself keeps, and how they are brought up to date.
    func collectMetrics() {
        let uptime = metrics.gauge("martlet_start_time_seconds", "When the host started, seconds since the epoch.")
        uptime.set(Int(Timestamp.now() / 1000))
        let exported = ServerMetrics(registry: metrics)
        metrics.beforeCollecting { [weak self] in
            guard let self else { return }
            if let counters = serverCounters { exported.update(counters) }
            let graph = graph
            if services.runsGroups { for node in graph.groups { node.part.updateLag() } }
            for node in graph.pubSubs {
                metrics.gauge(
                    "martlet_pubsub_up", "Whether a bus is open and carries messages.", labels: [("pubsub", node.name)]
                ).set(node.part.isUp ? 1 : 0)
            }
            for node in graph.databases {
                metrics.gauge(
                    "martlet_outbox_events", "Events of this host in a database's outbox.", labels: [("database", node.name)]
                ).set(node.part.outbox.waiting)
            }
        }
    }
}
