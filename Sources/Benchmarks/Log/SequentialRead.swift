import EmbeddedLog

/// Reads a topic's partition from its start, decoding each record.
enum SequentialRead {
    /// Records read, and how many a second.
    static func run(_ log: EmbeddedLog, topic: String, seconds: Double) throws -> (events: Int, perSecond: Double) {
        let partition = try log.partition(topic, 0)
        let start = MonotonicClock.now
        let end = start + MonotonicClock.seconds(seconds)
        var offset = partition.startOffset
        var events = 0
        var bytes = 0
        while offset < partition.endOffset, MonotonicClock.now < end {
            let chunk = try log.read(partition, from: offset, maxBytes: 1 << 20)
            var cursor = chunk.records()
            while try cursor.next() {
                events += 1
                bytes += cursor.value?.count ?? 0
            }
            offset = chunk.nextOffset
        }
        let seconds = Double(MonotonicClock.now - start) / 1e9
        guard bytes == events * LogShape.valueBytes else {
            throw BenchmarkError("\(events) records were read with \(bytes) bytes of values, not \(events * LogShape.valueBytes)")
        }
        return (events, Double(events) / seconds)
    }
}
