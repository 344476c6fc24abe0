import Synchronization

/// The key indexes of a log's sealed segments, in a folder beside it: they find one key's records in a long topic without
/// reading the others'.
///
/// `<directory>/<incarnation of the topic>/<partition>/<base offset>.keys`, see ``KeyIndexFile``. Whatever is missing,
/// out of date or damaged is as if it were not there, and is made again by ``refresh(_:isCancelled:)``. Topics that are
/// compacted are not indexed, since their segments change.
package final class KeyIndexes: Sendable {
    private let log: EmbeddedLog
    private let directory: String
    /// Files whose checksums were compared.
    private let verified = Mutex<Set<String>>([])

    private static let ending = ".keys"
    private static let readBytes = 1 << 20

    package init(of log: EmbeddedLog, in directory: String) {
        self.log = log
        self.directory = directory
    }

    /// Where the records of some keys may be.
    package struct Matches: Sendable {
        /// In order.
        package var offsets: [Int64] = []
        /// Before it there are no others. Where the indexes do not reach, and reading has to go on by itself.
        package var coveredTo: Int64
    }

    // MARK: Looking up

    /// Looks through the indexes from an offset on, as far as they go without a hole.
    ///
    /// - Parameters:
    ///   - hashes: of the keys, by ``hash(_:)``.
    ///   - limit: about the most offsets to return.
    package func find(_ hashes: [UInt32], _ topic: String, _ partition: Int32, from: Int64, to end: Int64, limit: Int) throws(LogError) -> Matches {
        let log = try log.partition(topic, partition)
        var matches = Matches(coveredTo: from)
        for segment in sealedSegments(of: log) where segment.next > matches.coveredTo {
            guard segment.base <= matches.coveredTo, matches.coveredTo < end, matches.offsets.count < limit else { break }
            let path = path(log, segment.base)
            guard let file = try open(path, segment) else { break }
            var found: [Int64] = []
            try file.find(hashes, in: matches.coveredTo..<min(end, segment.next), into: &found)
            matches.offsets += found.sorted()
            matches.coveredTo = min(end, segment.next)
        }
        if matches.offsets.count > limit {
            matches.coveredTo = matches.offsets[limit]
            matches.offsets.removeSubrange(limit...)
        }
        return matches
    }

    /// The hash of a key.
    package static func hash(_ key: UnsafeRawBufferPointer) -> UInt32 { KeyIndexFile.hash(key) }

    private func open(_ path: String, _ segment: Sealed) throws(LogError) -> KeyIndexFile? {
        let isVerified = verified.withLock { $0.contains(path) }
        let file = try KeyIndexFile(path, base: segment.base, segmentBytes: segment.bytes, isVerified: isVerified, log.storage)
        if (file != nil) != isVerified {
            verified.withLock { paths in
                if file != nil { _ = paths.insert(path) } else { _ = paths.remove(path) }
            }
        }
        return file
    }

    // MARK: Making

    /// Makes what is missing for a topic's sealed segments, and removes the files of segments that are gone. Blocks.
    ///
    /// - Returns: how many were made.
    @discardableResult
    package func refresh(_ topic: String, isCancelled: () -> Bool = { false }) throws(LogError) -> Int {
        guard let description = log.topics().first(where: { $0.name == topic }), description.configuration.cleanup == .delete else { return 0 }
        var made = 0
        for number in 0..<Int32(description.partitions) {
            let partition = try log.partition(topic, number)
            let segments = sealedSegments(of: partition)
            let folder = folder(partition)
            let names = try log.storage.list(folder)
            for name in names where !segments.contains(where: { Segment.name($0.base) + Self.ending == name }) {
                try log.storage.remove(folder + "/" + name)
                verified.withLock { _ = $0.remove(folder + "/" + name) }
            }
            for segment in segments {
                if isCancelled() { return made }
                // One that was found good is looked at again when it is used.
                let path = path(partition, segment.base)
                if verified.withLock({ $0.contains(path) }) { continue }
                if try open(path, segment) != nil { continue }
                try log.storage.createDirectory(folder)
                if try make(segment, partition) { made += 1 }
            }
        }
        return made
    }

    /// False if the segment has too many records, or was removed meanwhile.
    private func make(_ segment: Sealed, _ partition: PartitionLog) throws(LogError) -> Bool {
        var entries: [UInt64] = []
        var place = segment.base
        while place < segment.next {
            let chunk: LogChunk
            do throws(LogError) {
                chunk = try log.read(partition, from: place, maxBytes: Self.readBytes)
            } catch {
                if case .offsetOutOfRange = error.code { return false }
                throw error
            }
            if chunk.isEmpty { return false }
            var cursor = chunk.records()
            while try cursor.next(), cursor.offset < segment.next {
                guard let key = cursor.key, !cursor.isControl else { continue }
                guard entries.count < KeyIndexFile.entryLimit, let relative = UInt32(exactly: cursor.offset - segment.base) else { return false }
                entries.append(UInt64(KeyIndexFile.hash(key)) << 32 | UInt64(relative))
            }
            place = chunk.nextOffset
        }
        try KeyIndexFile.write(entries, base: segment.base, segmentBytes: segment.bytes, to: path(partition, segment.base), log.storage)
        return true
    }

    // MARK: Segments and paths

    /// A segment that takes no more records.
    private struct Sealed {
        let base: Int64
        /// The offset behind it.
        let next: Int64
        let bytes: Int
    }

    private func sealedSegments(of partition: PartitionLog) -> [Sealed] {
        partition.state.withLock { state in
            zip(state.segments, state.segments.dropFirst()).compactMap { segment, next in
                segment.flushedSize == segment.size && segment.size > 0 && next.base > state.startOffset
                    ? Sealed(base: segment.base, next: next.base, bytes: segment.size) : nil
            }
        }
    }

    private func folder(_ partition: PartitionLog) -> String {
        "\(directory)/\(partition.topic.incarnation.text)/\(partition.number)"
    }

    private func path(_ partition: PartitionLog, _ base: Int64) -> String {
        folder(partition) + "/" + Segment.name(base) + Self.ending
    }
}
