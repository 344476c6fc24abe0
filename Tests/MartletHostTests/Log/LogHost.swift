import Foundation
import Martlet
@testable import MartletHost
import Pipelines
import TestSupport

/// A host with a log in this process, and another's view of that log.
final class LogHost: Sendable {
    static let token = "a-token-for-tests"

    let host: Pipelines.Host
    let remote: RemoteEventLog
    private let folder: TemporaryFolder

    init() async throws {
        folder = try TemporaryFolder()
        let config = """
            {
              "host": { "listen": "127.0.0.1:0", "admin_listen": "127.0.0.1:0", "admin_token": "\(Self.token)", "event_loops": 1 },
              "log": { "acknowledge": "written", "min_free_bytes": 0 },
              "topics": { "items": { "partitions": 3 } }
            }
            """
        try folder.write(config, to: "config.json")
        let logger = Logger(output: .standardError(minimum: .error, format: .text))
        let registry = try StandardModules.registry()
        let (made, problems) = Pipelines.Host.make(configPath: folder["config.json"], overrides: [], registry: registry, logger: logger)
        guard let host = made else { throw ModuleError.permanent("test", problems.text) }
        self.host = host
        try await host.start(
            adminRoutes: AdminAPI(host: host, operations: HostOperations(host), token: Self.token).routes)
        remote = Self.log(of: "http://" + host.adminAddress)
        try await remote.open()
    }

    /// A log elsewhere that is not open yet.
    static func log(of url: String, token: String? = LogHost.token, requestTimeout: Duration = .seconds(10)) -> RemoteEventLog {
        RemoteEventLog(
            config: RemoteLogConfig(
                url: url, token: token, connectTimeout: .seconds(2), requestTimeout: requestTimeout, certificateFile: nil),
            certificateFile: nil, maxEventBytes: 1 << 20, metrics: MetricsRegistry(), logger: Logger(output: .standardError(minimum: .error, format: .text)))
    }

    func stop() async {
        await remote.close()
        await host.stop()
    }
}
