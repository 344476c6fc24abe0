import EmbeddedLog
import Foundation
import Synchronization
import TestSupport
import Testing

extension EndToEnd {
    /// A file system without room left under the log itself. Needs a mount: where none is allowed, this fails and says so.
    @Suite struct LogDiskFullTests {
        private static let topic = "t"

        private func open(_ folder: TemporaryFolder, _ minFreeBytes: Int64) throws -> EmbeddedLog {
            let log = try UnrecoveredLog(
                LogConfiguration(
                    directory: folder["data"], minFreeBytes: minFreeBytes, journalBytes: 4 << 20, segmentBytes: 1 << 20, maxRecordBytes: 64 << 10,
                    maxUnflushedBytes: 2 << 20)
            ).recover()
            try log.ensureTopic(Self.topic, TopicConfiguration(partitions: 3))
            return log
        }

        @Test(arguments: [0, 2 << 20] as [Int64])
        func refusedIsNotKeptAndAcknowledgedIs(minFreeBytes: Int64) async throws {
            try #require(TinyDisk.isPossible, Comment(rawValue: TinyDisk.needs))
            let folder = try TemporaryFolder()
            let disk = try TinyDisk(at: folder["data"], bytes: 24 << 20)
            defer { disk.unmount() }
            try Data(count: 8 << 20).write(to: URL(fileURLWithPath: folder["data/ballast"]))
            var log = try open(folder, minFreeBytes)
            let ledger = Ledger()
            let refusal = try await onThread { [log] in try ledger.appendUntilRefused(log, Self.topic) }
            #expect(refusal.code == .storageFull, "\(refusal)")
            #expect(refusal.message.contains("free space on this file system"))
            #expect(ledger.kept.count > 100)
            #expect(log.refusal == nil, "a full disk does not close the log")
            // Full to the last byte: what was acknowledged can be read all the same.
            if minFreeBytes == 0 { #expect(try Set(Self.values(log)).isSuperset(of: ledger.kept)) }

            disk.empty()
            try await eventually("appends again") { [log] in try ledger.append(log, Self.topic) == nil }
            log.close()
            #expect(try LogInspection(directory: folder["data"]).verify().findings == [])
            log = try open(folder, minFreeBytes)
            let found = try Self.values(log)
            #expect(Set(found).count == found.count)
            #expect(Set(found) == ledger.kept)
            log.close()
        }

        private static func values(_ log: EmbeddedLog) throws -> [Int] {
            var values: [Int] = []
            for partition in 0..<Int32(3) {
                var offset: Int64 = 0
                while true {
                    let chunk = try log.read(topic, partition: partition, from: offset, maxBytes: 1 << 20)
                    if chunk.isEmpty { break }
                    var cursor = chunk.records()
                    while try cursor.next() { values.append(cursor.value.map { Int($0.loadUnaligned(as: Int64.self)) } ?? -1) }
                    offset = chunk.nextOffset
                }
            }
            return values
        }
    }
}

/// Numbered records, and which of them were acknowledged.
private final class Ledger: Sendable {
    private struct State {
        var next = 0
        var kept: Set<Int> = []
    }

    private let state = Mutex(State())

    var kept: Set<Int> { state.withLock { $0.kept } }

    func appendUntilRefused(_ log: EmbeddedLog, _ topic: String) throws -> LogError {
        for _ in 0..<200_000 { if let error = try append(log, topic) { return error } }
        throw TestFailure("200,000 records taken on a full disk")
    }

    /// Appends to all partitions at once, and waits; the refusal, if it is one.
    func append(_ log: EmbeddedLog, _ topic: String) throws -> LogError? {
        let first = state.withLock { state in
            state.next += 3
            return state.next - 3
        }
        let appends = (0..<3).map { number in
            var builder = RecordBatchBuilder(capacity: 4096)
            let value = withUnsafeBytes(of: Int64(first + number)) { Array($0) } + [UInt8](repeating: 1, count: 3000)
            builder.append(timestamp: 1, key: nil, value: value)
            return PartitionAppend(topic: topic, partition: Int32(number), records: builder.finish())
        }
        let done = DispatchSemaphore(value: 0)
        let answer = Mutex<LogError?>(nil)
        log.append(appends) { result in
            if case .failure(let error) = result { answer.withLock { $0 = error } }
            done.signal()
        }
        guard done.wait(timeout: .now() + 30) == .success else { throw TestFailure("an append was not answered") }
        let error = answer.withLock { $0 }
        if error == nil { state.withLock { $0.kept.formUnion(first..<(first + 3)) } }
        return error
    }
}
