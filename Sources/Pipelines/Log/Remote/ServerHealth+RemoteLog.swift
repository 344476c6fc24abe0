import Martlet

extension ServerHealth {
    /// Whether the log's host answers. The last trouble is what is told; another code is news.
    static func remoteLog(metrics: MetricsRegistry, logger: Logger) -> ServerHealth {
        ServerHealth(
            "the log's host answers", gauge: "martlet_remote_log_up", metrics: metrics, logger: logger,
            isTrouble: { $0.code.hasPrefix("log.remote_") || $0.code.hasPrefix("http.") },
            change: { old, new in old.code == new.code ? .replaced : .news })
    }
}
