import Foundation
import Martlet
import Pipelines
import TestSupport

/// One group over a real log in a temporary folder, with a topic `items`.
final class GroupFixture: Sendable {
    let sink = SwitchedSink()
    let log: EmbeddedEventLog
    let group: GroupRunner
    private let folder: TemporaryFolder

    init(partitions: Int = 1, batchEvents: Int = 1) async throws {
        folder = try TemporaryFolder()
        let logger = Logger(output: LogOutput(minimum: .error, format: .text) { _ in })
        let metrics = MetricsRegistry()
        log = EmbeddedEventLog(directory: folder.path, config: try LogConfig(json: "{}"), metrics: metrics, logger: logger)
        try await log.open()
        var settings = GroupSettings(name: "group", topics: ["items"])
        settings.batchEvents = batchEvents
        settings.retryInitial = .milliseconds(5)
        settings.retryMaximum = .milliseconds(20)
        group = GroupRunner(
            settings: settings, target: .sink(sink), transforms: TransformChain([]), log: log, registry: metrics,
            dependencies: [], logger: logger)
        try await grow(to: partitions)
    }

    func grow(to partitions: Int) async throws {
        _ = try await log.ensureTopic(
            "items",
            TopicSettings(
                partitions: partitions, retentionMilliseconds: nil, retentionBytes: nil, segmentBytes: 1 << 20, cleanup: .delete))
    }

    /// Publishes each text as an event; those of one call may go to one partition.
    func publish(_ texts: String...) async throws {
        let events = texts.map { Event(id: EventID.generate(), key: nil, payload: Bytes($0), timestamp: Timestamp.now()) }
        _ = try await log.append(events, to: "items")
    }

    func stop() async {
        await group.stop()
        await log.close()
    }

    /// Waits for a condition with a deadline.
    func wait(for what: String, _ condition: () -> Bool) async throws {
        let deadline = ContinuousClock.now + .seconds(30)
        while !condition() {
            guard ContinuousClock.now < deadline else { throw Overdue(what: what) }
            try await Task.sleep(for: .milliseconds(2))
        }
    }

    struct Overdue: Error {
        let what: String
    }
}
