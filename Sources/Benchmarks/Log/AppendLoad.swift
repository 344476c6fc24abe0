import CLinux
import EmbeddedLog
import Synchronization

/// Producers that each append their next batch as soon as the last is acknowledged, on one thread.
final class AppendLoad: Sendable {
    private struct State {
        /// Producers whose append was acknowledged.
        var ready: [Int] = []
        var failure: LogError?
    }

    private let log: EmbeddedLog
    private let partitions: [PartitionLog]
    private let shape: LogShape
    private let state = Mutex(State())
    private let signal = Signal()

    init(_ log: EmbeddedLog, topic: String, shape: LogShape) throws {
        self.log = log
        self.shape = shape
        partitions = try (0..<shape.partitions).map { try log.partition(topic, Int32($0)) }
    }

    /// What was acknowledged, and how long it took.
    struct Result {
        var events = 0
        var seconds = 0.0
        var bytes = 0
        var perSecond: Double { seconds > 0 ? Double(events) / seconds : 0 }
    }

    /// Appends for a time, or until there are enough events; the last acknowledgement ends it.
    func run(seconds: Double, events limit: Int = .max) throws -> Result {
        var result = Result()
        let value = [UInt8](repeating: UInt8(ascii: "v"), count: LogShape.valueBytes)
        let start = MonotonicClock.now
        let end = start + MonotonicClock.seconds(seconds)
        var inFlight = 0
        // A producer with several appends under way is as many that have one, on this one thread.
        let count = shape.producers * shape.underWay
        var ready = Array(0..<count)
        var turns = [Int](repeating: 0, count: count)
        while true {
            let isOver = MonotonicClock.now >= end || result.events >= limit
            if !isOver {
                for producer in ready {
                    let partition = partitions[(producer + turns[producer] * count) % partitions.count]
                    turns[producer] += 1
                    result.bytes += append(producer, to: partition, value)
                    result.events += shape.batch
                    inFlight += 1
                }
            }
            ready.removeAll(keepingCapacity: true)
            if inFlight == 0 { break }
            guard signal.wait(atMost: 10) else { throw BenchmarkError("\(inFlight) appends were not acknowledged within 10 s") }
            try state.withLock { state in
                if let failure = state.failure { throw failure }
                swap(&state.ready, &ready)
            }
            inFlight -= ready.count
        }
        result.seconds = Double(MonotonicClock.now - start) / 1e9
        return result
    }

    /// Returns the batch's size.
    private func append(_ producer: Int, to partition: PartitionLog, _ value: [UInt8]) -> Int {
        var builder = RecordBatchBuilder(capacity: 128 + shape.batch * (LogShape.valueBytes + 24))
        let now = Int64(MonotonicClock.now / 1_000_000)
        value.withUnsafeBytes { value in
            for _ in 0..<shape.batch { builder.append(timestamp: now, key: nil, value: value) }
        }
        let records = builder.finish()
        log.append([PartitionAppend(partition, records: records)]) { [self] result in
            let isFirst = state.withLock { state in
                if case .failure(let error) = result { state.failure = error }
                state.ready.append(producer)
                return state.ready.count == 1
            }
            // The producers' thread takes all that is ready each time it wakes.
            if isFirst { signal.raise() }
        }
        return records.byteCount
    }
}
