import EmbeddedLog
package import Martlet

/// Reading single keys.
extension EmbeddedEventLog {
    /// About how much of the log one call reads where no index reaches.
    private static let scanBytes = 4 << 20
    /// About how much is read for one place that an index gave.
    private static let fetchBytes = 4 << 10
    /// The most that one call brings, unless a single record is larger.
    private static let pageBytes = 4 << 20

    /// By the key indexes as far as they reach, else by looking at the keys.
    package func read(
        topic: TopicName, partition: PartitionID, keys: [Bytes], from offset: Offset, to end: Offset, limit: Int
    ) async throws -> KeyedRecords {
        let (log, indexer) = try openedWithIndexer()
        indexer.note(topic)
        do throws(LogError) {
            if let chunk = try log.readFromMemory(topic.text, partition: partition, from: offset, maxBytes: Self.scanBytes) {
                return try RecordDecoder.keyed(in: chunk, topic: topic, partition: partition, keys: keys, before: end, limit: limit)
            }
        } catch {
            throw Self.readError(error, at: offset)
        }
        return try await BlockingWork.run { [self] in
            do throws(LogError) {
                let hashes = keys.map { key in key.withUnsafeBytes { KeyIndexes.hash($0) } }
                let matches = try indexer.indexes.find(hashes, topic.text, partition, from: offset, to: end, limit: limit)
                if matches.coveredTo > offset { return try fetch(matches, topic, partition, keys, log) }
                let chunk = try log.read(topic.text, partition: partition, from: offset, maxBytes: Self.scanBytes)
                return try RecordDecoder.keyed(in: chunk, topic: topic, partition: partition, keys: keys, before: end, limit: limit)
            } catch {
                throw Self.readError(error, at: offset)
            }
        }
    }

    /// Reads what the indexes pointed to. Several places that lie close together are read at once.
    private func fetch(
        _ matches: KeyIndexes.Matches, _ topic: TopicName, _ partition: PartitionID, _ keys: [Bytes], _ log: EmbeddedLog
    ) throws(LogError) -> KeyedRecords {
        var records: [Record] = []
        var bytes = 0
        var index = 0
        while index < matches.offsets.count {
            if bytes >= Self.pageBytes { return KeyedRecords(records: records, next: matches.offsets[index]) }
            let chunk = try log.read(topic.text, partition: partition, from: matches.offsets[index], maxBytes: Self.fetchBytes)
            let found = try RecordDecoder.keyed(
                in: chunk, topic: topic, partition: partition, keys: keys, before: matches.coveredTo, limit: .max
            ).records
            records += found
            bytes += found.reduce(0) { $0 + $1.event.byteCount }
            repeat { index += 1 } while index < matches.offsets.count && matches.offsets[index] < chunk.nextOffset
        }
        return KeyedRecords(records: records, next: matches.coveredTo)
    }
}
