import Synchronization

// What a start rebuilds of the windows of event ids and of the idempotent producers.
extension EmbeddedLog {
    /// Reads each topic's newest records back to the window's size and age. A record is as old as its timestamp says, but no
    /// older than its segment, where that is known, or than the record before it.
    func rebuildWindows() throws(LogError) {
        for topic in registry.withLock({ Array($0.values) }) { try rebuildWindow(of: topic) }
    }

    /// The same for a topic that has just got a window. Nothing is committed meanwhile.
    func beginWindow(of topic: TopicLog) throws(LogError) {
        let failure = Mutex<LogError?>(nil)
        try runBetweenCycles { [self] in
            do throws(LogError) {
                try rebuildWindow(of: topic)
            } catch {
                failure.withLock { $0 = error }
            }
        }
        if let error = failure.withLock({ $0 }) { throw error }
    }

    private func rebuildWindow(of topic: TopicLog) throws(LogError) {
        guard let limits = topic.configuration.deduplication else { return }
        var found: [WindowRecord] = []
        for partition in topic.partitions {
            try collect(partition, limits, into: &found)
            found.sort()
            if found.count > limits.events { found.removeFirst(found.count - limits.events) }
        }
        var window = EventWindow()
        for record in found { window.insert(record.id, at: record.place, time: record.time, limits) }
        topic.commit.window = window
    }

    private func collect(_ partition: PartitionLog, _ limits: DeduplicationWindow, into found: inout [WindowRecord]) throws(LogError) {
        let now = clock.now()
        let end = partition.endOffset
        guard let young = try offset(partition.topicName, partition.number, atOrAfter: now - limits.milliseconds) else { return }
        let segment = partition.state.withLock { $0.segments.last }
        var time = Int64.min
        var offset = max(young, end - Int64(limits.events), partition.startOffset)
        while offset < end {
            let chunk = try read(partition, from: offset, maxBytes: 1 << 20)
            var cursor = chunk.records()
            while try cursor.next() {
                let id = try cursor.eventID()
                if let segment, cursor.offset >= segment.base { time = max(time, segment.createdAt) }
                time = max(time, min(cursor.timestamp, now))
                let place = EventWindow.Place(partition: partition.number, offset: cursor.offset)
                if id != .none { found.append(WindowRecord(time: min(time, now), place: place, id: id)) }
            }
            if chunk.isEmpty { break }
            offset = chunk.nextOffset
        }
    }

    /// Rebuilds the partitions' tables of producers from their topic. Expired ones stay until others come.
    func loadProducers() throws(LogError) {
        let byIncarnation = registry.withLock { Dictionary(uniqueKeysWithValues: $0.values.map { ($0.incarnation, $0) }) }
        var orphans: Set<[UInt8]> = []
        try forEachRecord(of: ProducerStateRecord.topic) { cursor in
            guard let bytes = cursor.key, let key = ProducerMarkRecord.parseKey(bytes) else { return }
            let state = cursor.value.flatMap(ProducerStateRecord.parseValue)
            if let partition = byIncarnation[key.incarnation]?.partition(key.partition) {
                partition.commit.producers[key.producerID] = state
            } else if state != nil {
                orphans.insert(Array(bytes))
            } else {
                orphans.remove(Array(bytes))
            }
        }
        committer.orphanedProducers = orphans.sorted { $0.lexicographicallyPrecedes($1) }
    }
}

/// A record that a window may know, in the order in which they were appended, as far as that can be told.
private struct WindowRecord: Comparable {
    let time: Int64
    let place: EventWindow.Place
    let id: EventIDHash

    static func < (left: WindowRecord, right: WindowRecord) -> Bool {
        (left.time, left.place.partition, left.place.offset) < (right.time, right.place.partition, right.place.offset)
    }
}
