import Martlet

/// The log that a host uses: its own, another host's, or one that many hosts share.
enum HostLog: Sendable {
    case embedded(EmbeddedEventLog)
    case remote(RemoteEventLog)
    case shared(SharedLogRunner)

    /// - Parameter module: makes the log that the config names as a module; nil if it has problems, which are reported. Then
    ///   there is a log of this host's own, so that the rest of the config can be checked; it is never opened.
    init(
        _ loaded: LoadedConfig, module: (ConfigModule<LogKind>) -> (any SharedLog)?, journalBytes: Int?, metrics: MetricsRegistry,
        logger: Logger
    ) {
        let config = loaded.config.log
        if let log = config.module.flatMap(module) {
            self = .shared(SharedLogRunner(log: log, logger: logger))
        } else if let remote = config.remote {
            self = .remote(
                RemoteEventLog(
                    config: remote, certificateFile: remote.certificateFile.map { loaded.path($0) },
                    maxEventBytes: config.maxRecordBytes, metrics: metrics, logger: logger))
        } else {
            self = .embedded(
                EmbeddedEventLog(
                    directory: loaded.dataDirectory, config: config, journalBytes: journalBytes, metrics: metrics, logger: logger))
        }
    }

    var log: any EventLog {
        switch self {
        case .embedded(let log): log
        case .remote(let log): log
        case .shared(let runner): runner.log
        }
    }

    /// Set if many hosts share the log.
    var shared: SharedLogRunner? {
        if case .shared(let runner) = self { runner } else { nil }
    }

    /// Whether groups run on this host: all of them, or, with a shared log, its part of each.
    var runsGroups: Bool {
        if case .remote = self { false } else { true }
    }

    func close() async {
        if let shared { await shared.close() } else { await log.close() }
    }
}
