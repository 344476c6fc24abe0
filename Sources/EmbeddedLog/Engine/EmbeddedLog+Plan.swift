import Synchronization

// What goes into a cycle: appends are judged one after the other, in the order of the queue, on the commit thread.
extension EmbeddedLog {
    /// Decides what goes into the cycle: refuses what breaks a producer's sequence, drops what is there already.
    func planCycle() {
        let now = clock.now()
        for (index, item) in committer.items.enumerated() where committer.errors[index] == nil {
            if let gone = item.parts.first(where: { $0.partition.state.withLock { $0.deleted } }) {
                committer.errors[index] = LogError(.unknownTopic, "topic \"\(gone.partition.topicName)\" was deleted")
                continue
            }
            if let refusal = committer.takeSequences(of: item, configuration, now: now) {
                committer.errors[index] = refusal
                continue
            }
            for (number, part) in item.parts.enumerated() {
                let receipt = committer.plan(part, item: index, number: number, now: now)
                committer.receipts[index].append(receipt)
            }
        }
        if !committer.marks.isEmpty { addMarks(now) }
        if !committer.producers.isEmpty || !committer.forgottenProducers.isEmpty { addProducers(now) }
    }

    private func addMarks(_ now: Int64) {
        guard let partition = registry.withLock({ $0[ProducerMarkRecord.topic] })?.partition(0) else { return }
        var builder = RecordBatchBuilder(capacity: ProducerMarkRecord.maxBytes * committer.marks.count)
        for (key, mark) in committer.marks.sorted(by: { $0.key < $1.key }) {
            let name = ProducerMarkRecord.key(
                producerID: key.producerID, incarnation: mark.partition.topic.incarnation, partition: mark.partition.number)
            builder.append(timestamp: now, key: name, value: ProducerMarkRecord.value(row: mark.row))
        }
        committer.add(builder.finish(), to: partition, item: -1, part: -1)
    }

    /// Writes what the partitions now know of the producers that appended, and forgets a few whose topics are gone.
    private func addProducers(_ now: Int64) {
        guard let partition = registry.withLock({ $0[ProducerStateRecord.topic] })?.partition(0) else { return }
        var builder = RecordBatchBuilder(capacity: ProducerStateRecord.maxBytes * (committer.producers.count + 1))
        for key in committer.forgottenProducers + committer.takeOrphans() { builder.append(timestamp: now, key: key, value: nil) }
        for (key, partition) in committer.producers.sorted(by: { $0.key < $1.key }) {
            guard let state = partition.commit.producers[key.producerID] else { continue }
            builder.append(
                timestamp: now, key: partition.producerKey(key.producerID), value: ProducerStateRecord.value(state))
        }
        if builder.recordCount > 0 { committer.add(builder.finish(), to: partition, item: -1, part: -1) }
    }
}

extension PartitionLog {
    fileprivate func producerKey(_ id: Int64) -> [UInt8] {
        ProducerMarkRecord.key(producerID: id, incarnation: topic.incarnation, partition: number)
    }
}

extension Committer {
    /// Topics that are gone leave rows of producers: so many are forgotten with each cycle that has others.
    private static let orphansPerCycle = 8

    fileprivate func takeOrphans() -> [[UInt8]] {
        let taken = Array(orphanedProducers.suffix(Self.orphansPerCycle))
        orphanedProducers.removeLast(taken.count)
        return taken
    }

    /// Takes note of the sequences of an append's batches, of all or of none.
    /// - Returns: why the append is refused, if it is.
    fileprivate func takeSequences(of item: QueuedAppend, _ configuration: LogConfiguration, now: Int64) -> LogError? {
        repeated.removeAll(keepingCapacity: true)
        var undo: [(partition: PartitionLog, id: Int64, state: ProducerState?)] = []
        for part in item.parts {
            guard let producer = part.sequence else {
                repeated.append(false)
                continue
            }
            let partition = part.partition
            let count = Int32(part.records.recordCount)
            let state = partition.commit.producers[producer.id]
            switch state?.verdict(epoch: producer.epoch, baseSequence: producer.baseSequence, count: count) ?? .next {
            case .repeated: repeated.append(true)
            case .next:
                undo.append((partition, producer.id, state))
                if state == nil { makeRoom(in: partition, configuration, now: now) }
                var changed = state ?? ProducerState(epoch: producer.epoch, batches: [], lastAppend: now)
                changed.add(epoch: producer.epoch, baseSequence: producer.baseSequence, count: count, now: now)
                partition.commit.producers[producer.id] = changed
                producers[MarkKey(partition: partition.key, producerID: producer.id)] = partition
                repeated.append(false)
            case .fenced(let epoch):
                restore(undo)
                return .fenced(producer, by: epoch, partition)
            case .outOfOrder(let expected):
                restore(undo)
                return .outOfOrder(producer, expected: expected, partition)
            }
        }
        return nil
    }

    private func restore(_ undo: [(partition: PartitionLog, id: Int64, state: ProducerState?)]) {
        for change in undo.reversed() { change.partition.commit.producers[change.id] = change.state }
    }

    private func makeRoom(in partition: PartitionLog, _ configuration: LogConfiguration, now: Int64) {
        let forgotten = partition.commit.producers.makeRoom(
            limit: configuration.maxProducers, expiredBefore: now - configuration.producerExpiryMilliseconds)
        for id in forgotten {
            producers[MarkKey(partition: partition.key, producerID: id)] = nil
            forgottenProducers.append(partition.producerKey(id))
        }
    }

    /// Adds what is new of a part to the cycle.
    fileprivate func plan(_ part: QueuedAppend.Part, item: Int, number: Int, now: Int64) -> AppendReceipt {
        var receipt = AppendReceipt(baseOffset: -1, newRecords: part.records.recordCount, duplicates: 0)
        if let producer = part.sequence, repeated[number] {
            receipt.newRecords = 0
            receipt.duplicates = part.records.recordCount
            receipt.isRepetition = true
            receipt.baseOffset = part.partition.commit.producers[producer.id]?.offset(ofSequence: producer.baseSequence) ?? -1
            receipt.known = knownEvents(part)
            return receipt
        }
        receipt.earlierRows = rowsThere(part)
        receipt.known = takeEvents(part, from: receipt.earlierRows, now: now)
        receipt.duplicates = receipt.earlierRows + receipt.known.count
        receipt.newRecords -= receipt.duplicates
        if let producer = part.sequence {
            let offset = receipt.newRecords > 0 ? part.partition.commit.plannedOffset : receipt.known.first?.offset ?? -1
            part.partition.commit.producers[producer.id]?.setOffset(offset, ofSequence: producer.baseSequence)
        }
        if let batch = newRecords(of: part, receipt) { add(batch, to: part.partition, item: item, part: number) }
        return receipt
    }

    private func newRecords(of part: QueuedAppend.Part, _ receipt: AppendReceipt) -> RecordBatch? {
        if receipt.newRecords == 0 { return nil }
        if receipt.duplicates == 0 { return part.records }
        if receipt.known.isEmpty { return part.records.dropping(first: receipt.earlierRows) }
        var next = 0
        return part.records.keeping(receipt.newRecords) { index in
            if index < receipt.earlierRows { return false }
            guard next < receipt.known.count, receipt.known[next].index == index else { return true }
            next += 1
            return false
        }
    }

    /// How many of the records the producer's earlier rows had brought.
    private func rowsThere(_ part: QueuedAppend.Part) -> Int {
        guard let mark = part.producer else { return 0 }
        let last = part.partition.commit.lastRows[mark.producerID] ?? .min
        let earlier = mark.rows.partitionIndex { $0 > last }
        if earlier < mark.rows.count, let newest = mark.rows.last {
            part.partition.commit.lastRows[mark.producerID] = newest
            marks[MarkKey(partition: part.partition.key, producerID: mark.producerID)] = (part.partition, newest)
        }
        return earlier
    }

    /// Takes note of the events that are new to the topic; returns the others.
    private func takeEvents(_ part: QueuedAppend.Part, from first: Int, now: Int64) -> [KnownEvent] {
        let topic = part.partition.topic
        guard !part.eventIDs.isEmpty else { return [] }
        guard let limits = topic.configuration.deduplication else {
            topic.commit.window = nil
            return []
        }
        if topic.commit.window == nil { topic.commit.window = EventWindow() }
        let offset = part.partition.commit.plannedOffset
        return topic.commit.window?.take(
            part.eventIDs, from: first, partition: part.partition.number, offset: offset, time: now, limits) ?? []
    }

    /// Where the events of a repeated batch are, as far as the window knows.
    private func knownEvents(_ part: QueuedAppend.Part) -> [KnownEvent] {
        guard let window = part.partition.topic.commit.window else { return [] }
        return part.eventIDs.enumerated().compactMap { index, id in
            window.place(of: id).map { KnownEvent(index: Int32(index), partition: $0.partition, offset: $0.offset) }
        }
    }
}

extension LogError {
    fileprivate static func fenced(_ producer: BatchProducer, by epoch: Int16, _ partition: PartitionLog) -> LogError {
        LogError(
            .producerFenced, "producer \(producer.id) appends to partition \(partition.number) of topic \"\(partition.topicName)\" with epoch "
                + "\(producer.epoch), and epoch \(epoch) has taken over; stop the older one")
    }

    fileprivate static func outOfOrder(_ producer: BatchProducer, expected: Int32, _ partition: PartitionLog) -> LogError {
        LogError(
            .outOfOrderSequence,
            "producer \(producer.id), epoch \(producer.epoch), appends sequence \(producer.baseSequence) to partition \(partition.number) of "
                + "topic \"\(partition.topicName)\", and \(expected) comes next; go on from there, or begin a new epoch at 0")
    }
}
