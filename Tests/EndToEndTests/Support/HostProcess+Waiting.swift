import Foundation
import TestSupport

extension HostProcess {
    /// Starts a host of the shipped config, and waits until it is ready.
    static func startShipped(in folder: TemporaryFolder, set overrides: [String] = []) async throws -> HostProcess {
        try TestConfig.copyShipped(to: folder)
        let host = try await start(in: folder, set: overrides)
        try await host.waitUntilReady()
        return host
    }

    /// A stream of a user's notifications, connected.
    ///
    /// - Parameter query: what stands behind the path: `?last_event_id=earliest`.
    func openStream(of user: String, query: String = "", headers: [String] = []) async throws -> StreamClient {
        let stream = StreamClient(Self.streamPath(of: user) + query, headers: headers)
        try await stream.connect(to: address)
        return stream
    }

    /// Connects a stream as soon as the channel is open, and waits for an id to resume by.
    func connect(_ stream: StreamClient) async throws {
        let address = address
        try await eventually("a stream: \(log)") { (try? await stream.connect(to: address)) != nil }
        try await eventually("an id to resume by") { stream.lastID != nil }
    }

    /// Waits until `/readyz` says that this part is held up, and returns the reason it gives.
    func waitingReason(of part: String) async throws -> String {
        try await eventually("a reason why \(part) waits") {
            let answer = try await admin("/readyz")
            guard answer.status == 503, let waiting = answer.object["waiting"] as? [[String: Any]] else { return nil }
            let details = waiting.filter { $0["part"] as? String == part }.compactMap { $0["detail"] as? String }
            return details.first { $0 != "opening" }
        }
    }

    /// Waits until the source and its database take requests, whatever else waits.
    func waitUntilSaving() async throws {
        try await eventually("a source that takes likes: \(log)") {
            let waiting = try await admin("/readyz").object["waiting"] as? [[String: Any]]
            return waiting?.contains { reason in
                guard let part = reason["part"] as? String else { return true }
                return part == "host" || ["databases.", "sources.", "outbox."].contains { part.hasPrefix($0) }
            } == false
        }
    }
}
