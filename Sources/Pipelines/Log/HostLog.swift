import Martlet

/// The log that a host uses: its own, or another host's.
enum HostLog: Sendable {
    case embedded(EmbeddedEventLog)
    case remote(RemoteEventLog)

    init(_ loaded: LoadedConfig, journalBytes: Int?, metrics: MetricsRegistry, logger: Logger) {
        let config = loaded.config.log
        if let remote = config.remote {
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
        }
    }
}
