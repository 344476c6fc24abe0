import CLinux
import EmbeddedLog
import Synchronization

/// `martlet bench kill-load`: concurrent producers that append until the process is killed, and say what was acknowledged,
/// a line each: round, producer, sequence. Part of a test, which kills it and looks for what it said.
package final class LogKillLoad: Benchmark {
    package static let topic = "kill"
    package static let partitions = 16
    package static let producers = 4
    /// Appends of one producer under way at a time.
    private static let underWay = 4

    private let directory: String
    private let round: Int

    package init(directory: String, round: Int) {
        self.directory = directory
        self.round = round
    }

    package func run() throws -> BenchmarkReport {
        // Small, so that segments end and the journal's files take turns between two kills.
        let log = try UnrecoveredLog(
            LogConfiguration(directory: directory, minFreeBytes: 0, journalBytes: 2 << 20, segmentBytes: 256 << 10, maxRecordBytes: 64 << 10)
        ).recover()
        try log.ensureTopic(Self.topic, TopicConfiguration(partitions: Self.partitions))
        let producers = try (0..<Self.producers).map { producer in
            try WorkerThread { [self] in produce(producer, log) }
        }
        producers.forEach { $0.join() }
        throw BenchmarkError("a producer ended")
    }

    private func produce(_ producer: Int, _ log: EmbeddedLog) {
        let room = Signal()
        for _ in 0..<Self.underWay { room.raise() }
        for sequence in 0... {
            guard room.wait(atMost: 60) else { return }
            var builder = RecordBatchBuilder(capacity: 512)
            let value = Self.value(round, producer, sequence)
            value.withUnsafeBytes { builder.append(timestamp: Int64(MonotonicClock.now / 1_000_000), key: nil, value: $0) }
            let partition = Int32((sequence * 7 + producer) % Self.partitions)
            log.append([PartitionAppend(topic: Self.topic, partition: partition, records: builder.finish())]) { [round] result in
                // A refusal ends the process with its reason: nothing refuses here.
                if case .failure(let error) = result { return Self.say("failed \(error)\n") }
                Self.say("\(round) \(producer) \(sequence)\n")
                room.raise()
            }
        }
    }

    /// The three numbers, then bytes that follow from them.
    package static func value(_ round: Int, _ producer: Int, _ sequence: Int) -> [Int64] {
        [Int64(round), Int64(producer), Int64(sequence)] + (0..<(sequence % 60)).map { Int64(round ^ producer ^ sequence ^ $0) }
    }

    private static func say(_ text: String) {
        let line = Array(text.utf8)
        _ = write(STDOUT_FILENO, line, line.count)
    }
}
