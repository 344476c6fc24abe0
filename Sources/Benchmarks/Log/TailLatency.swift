import CLinux
import EmbeddedLog
import Synchronization

/// Appends single events at a rate and measures when a reader at the tail has decoded each.
final class TailLatency: Sendable {
    private let log: EmbeddedLog
    private let partition: PartitionLog
    private let isOver = Atomic(false)
    private let latencies = Mutex(Latencies())
    private let failure = Mutex<(any Error)?>(nil)

    init(_ log: EmbeddedLog, topic: String) throws {
        self.log = log
        partition = try log.partition(topic, 0)
    }

    /// Append to decoded at the reader, from when the append was due.
    func run(rate: Int, seconds: Double) throws -> Latencies.Sorted {
        let first = partition.endOffset
        let count = Int(Double(rate) * seconds)
        let reader = try WorkerThread { [self] in
            do {
                try read(from: first, until: first + Int64(count))
            } catch {
                failure.withLock { $0 = error }
            }
        }
        let start = MonotonicClock.now + 1_000_000
        for number in 0..<count {
            let due = start + Int64(number) * 1_000_000_000 / Int64(rate)
            clinux_sleep_until(due)
            append(due)
        }
        reader.join()
        if let failure = failure.withLock({ $0 }) { throw failure }
        return latencies.withLock { $0.sorted() }
    }

    /// The value begins with the time it was due.
    private func append(_ due: Int64) {
        var value = [UInt8](repeating: UInt8(ascii: "v"), count: LogShape.valueBytes)
        value.withUnsafeMutableBytes { $0.storeBytes(of: due, as: Int64.self) }
        var builder = RecordBatchBuilder(capacity: 512)
        value.withUnsafeBytes { builder.append(timestamp: due / 1_000_000, key: nil, value: $0) }
        log.append([PartitionAppend(partition, records: builder.finish())]) { [self] result in
            if case .failure(let error) = result { failure.withLock { $0 = error } }
        }
    }

    private func read(from first: Int64, until end: Int64) throws {
        clinux_sharpen_sleep()
        let signal = Signal()
        var offset = first
        var found = Latencies(capacity: Int(end - first))
        while offset < end {
            let token = log.onData(partition, from: offset) { signal.raise() }
            guard signal.wait(atMost: 10) else {
                token.cancel()
                throw BenchmarkError("no record at offset \(offset) within 10 s")
            }
            let chunk = try log.read(partition, from: offset, maxBytes: 1 << 20)
            var cursor = chunk.records()
            while try cursor.next() {
                guard let due = cursor.value?.loadUnaligned(as: Int64.self) else { continue }
                found.add(MonotonicClock.now - due)
                offset = cursor.offset + 1
            }
        }
        latencies.withLock { $0 = found }
    }
}
