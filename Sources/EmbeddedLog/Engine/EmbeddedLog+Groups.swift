import Synchronization

extension EmbeddedLog {
    /// Records where a group goes on: for each partition, the offset of the next record to handle.
    /// Rides the same commit cycles as appends, so it costs no sync of its own; visible to
    /// `committedOffset` when durable. Offsets may go backwards: that is a reset.
    ///
    /// `completion` is called as that of `append`. Errors as there.
    package func commitOffsets(
        group: String, _ offsets: [(topic: String, partition: Int32, offset: Int64)],
        completion: @escaping @Sendable (Result<Void, LogError>) -> Void
    ) {
        let named = offsets.map { (TopicPartition(topic: $0.topic, partition: $0.partition), Optional($0.offset)) }
        change(group, named, completion)
    }

    /// The offset where a group goes on; `nil` if it has none in this partition.
    package func committedOffset(group: String, topic: String, partition: Int32) -> Int64? {
        groupOffsets.withLock { $0[group]?[TopicPartition(topic: topic, partition: partition)] }
    }

    /// All groups with committed offsets, by name.
    package func groups() -> [GroupDescription] {
        groupOffsets.withLock { groups in groups.map { GroupDescription(name: $0.key, offsets: $0.value) } }.sorted { $0.name < $1.name }
    }

    /// Forgets the offsets of a group.
    package func deleteGroup(_ group: String, completion: @escaping @Sendable (Result<Void, LogError>) -> Void) {
        let places = groupOffsets.withLock { Array($0[group, default: [:]].keys) }
        if places.isEmpty { return completion(.success(())) }
        change(group, places.map { ($0, nil) }, completion)
    }

    private func change(
        _ group: String, _ offsets: [(TopicPartition, Int64?)], _ completion: @escaping @Sendable (Result<Void, LogError>) -> Void
    ) {
        do throws(LogError) {
            guard (1...1024).contains(group.utf8.count) else {
                throw LogError(.invalidAppend, "a group name has 1 to 1024 bytes, not \(group.utf8.count)")
            }
            if offsets.isEmpty { throw LogError(.invalidAppend, "no offsets were given for group \"\(group)\"") }
            let records = try encode(group, offsets)
            let target = try partition(GroupOffsetRecord.topic, 0)
            var item = QueuedAppend()
            item.parts = [QueuedAppend.Part(partition: target, records: records, producer: nil)]
            item.bytes = JournalFormat.partBytes(records.byteCount)
            try checkSize(item)
            item.isInternal = true
            item.offsets = GroupOffsetUpdate(group: group, offsets: offsets.map { (place: $0.0, offset: $0.1) })
            item.completion = { result in completion(result.map { _ in }) }
            try enqueue(item)
        } catch {
            completion(.failure(error))
        }
    }

    private func encode(_ group: String, _ offsets: [(TopicPartition, Int64?)]) throws(LogError) -> RecordBatch {
        let now = clock.now()
        var builder = RecordBatchBuilder(capacity: 256 * offsets.count)
        for (place, offset) in offsets {
            var value: [UInt8]?
            if let offset {
                let incarnation = try partition(place.topic, place.partition).topic.incarnation.text
                value = GroupOffsetRecord.value(offset: offset, incarnation: incarnation, timestamp: now)
            }
            builder.append(timestamp: now, key: GroupOffsetRecord.key(group: group, place), value: value)
        }
        return builder.finish()
    }

    /// Makes durable offsets visible.
    func apply(_ update: GroupOffsetUpdate) {
        groupOffsets.withLock { groups in
            for (place, offset) in update.offsets { groups[update.group, default: [:]][place] = offset }
            if groups[update.group]?.isEmpty == true { groups[update.group] = nil }
        }
    }

    func forgetOffsets(ofTopic name: String) {
        groupOffsets.withLock { groups in
            for group in groups.keys { groups[group] = groups[group]?.filter { $0.key.topic != name } }
            groups = groups.filter { !$0.value.isEmpty }
        }
    }

    /// Rebuilds the maps of groups' offsets and producers' rows from their topics.
    func loadInternalTopics() throws(LogError) {
        try forEachRecord(of: GroupOffsetRecord.topic) { cursor in
            guard let key = cursor.key.flatMap(GroupOffsetRecord.parseKey) else { return }
            let value = cursor.value.flatMap(GroupOffsetRecord.parseValue)
            let incarnation = registry.withLock { $0[key.place.topic]?.incarnation.text }
            let current = value.flatMap { $0.incarnation == incarnation ? $0.offset : nil }
            apply(GroupOffsetUpdate(group: key.group, offsets: [(key.place, current)]))
        }
        let byIncarnation = registry.withLock { Dictionary(uniqueKeysWithValues: $0.values.map { ($0.incarnation, $0) }) }
        try forEachRecord(of: ProducerMarkRecord.topic) { cursor in
            guard let key = cursor.key.flatMap(ProducerMarkRecord.parseKey),
                let partition = byIncarnation[key.incarnation]?.partition(key.partition)
            else { return }
            partition.commit.lastRows[key.producerID] = cursor.value.flatMap(ProducerMarkRecord.parseValue)
        }
    }

    func forEachRecord(of topic: String, _ body: (RecordCursor) -> Void) throws(LogError) {
        let partition = try partition(topic, 0)
        var offset = partition.startOffset
        while offset < partition.endOffset {
            let chunk = try read(partition, from: offset, maxBytes: 1 << 20)
            var cursor = chunk.records()
            while try cursor.next() { body(cursor) }
            if chunk.isEmpty { break }
            offset = chunk.nextOffset
        }
    }
}
