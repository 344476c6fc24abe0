import Foundation
import Martlet
import Synchronization
import TestSupport
import Testing

@testable import Pipelines

/// The key indexes of a topic with a damaged segment.
@Suite(.timeLimit(.minutes(1))) struct KeyIndexerTests {
    private final class ManualTime: Sendable {
        private let current = Mutex(ContinuousClock.now)

        var now: ContinuousClock.Instant { current.withLock { $0 } }
        func advance(by duration: Duration) { current.withLock { $0 += duration } }
    }

    private let folder: TemporaryFolder
    private let lines = Lines()

    init() throws {
        folder = try TemporaryFolder()
    }

    private func open() async throws -> EmbeddedEventLog {
        let log = EmbeddedEventLog(
            directory: folder.path, config: try LogConfig(json: #"{ "min_free_bytes": 0 }"#), journalBytes: 16 << 20,
            metrics: MetricsRegistry(), logger: .silent)
        try await log.open()
        return log
    }

    /// Several sealed segments. Returns the path of the first one.
    private func fill() async throws -> String {
        let log = try await open()
        let settings = TopicSettings(
            partitions: 1, retentionMilliseconds: nil, retentionBytes: nil, segmentBytes: 4_096, cleanup: .delete)
        _ = try await log.ensureTopic("t", settings)
        for number in 0..<20 {
            let event = Event(id: Bytes("\(number)"), key: "key", payload: Bytes(String(repeating: "x", count: 1_000)), timestamp: 0)
            try await withCheckedThrowingContinuation { continuation in
                log.append([event], to: "t", mark: nil) { continuation.resume(with: $0.map { _ in }) }
            }
        }
        await log.close()
        return folder["log/t/0/00000000000000000000.log"]
    }

    private func flipBit(of file: String) throws {
        let url = URL(fileURLWithPath: file)
        var bytes = try Data(contentsOf: url)
        bytes[bytes.count / 2] ^= 1
        try bytes.write(to: url)
    }

    /// The segment is read again and again, in vain: after pauses that grow, and it is said once.
    @Test func aDamagedTopicIsTriedLessAndLessOften() async throws {
        let segment = try await fill()
        try flipBit(of: segment)
        let log = try await open()
        let time = ManualTime()
        let logger = Logger(output: LogOutput(minimum: .warning, format: .text, sink: lines.append))
        // An interval in which the indexer's own task looks once only.
        let indexer = KeyIndexer(
            try log.openedWithIndexer().0, directory: folder["keys"], logger: logger, interval: .seconds(150), now: { time.now })
        indexer.note("t")
        try await eventually("a warning") { !lines.all.isEmpty }

        for pause in [150, 300, 600, 600] {
            // Jitter halves a pause at the most.
            time.advance(by: .seconds(pause / 2 - 1))
            #expect(await indexer.refresh() == [], "before \(pause / 2) s")
            time.advance(by: .seconds(pause / 2 + 1))
            #expect(await indexer.refresh() == ["t"], "after \(pause) s")
        }
        #expect(lines.all.count == 1)
        #expect(lines.count(of: "key indexes of topic t cannot be made") == 1)

        try flipBit(of: segment)
        time.advance(by: .seconds(600))
        for _ in 0..<2 { #expect(await indexer.refresh() == ["t"], "mended") }
        await indexer.close()
        await log.close()
    }
}
