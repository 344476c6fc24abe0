import Synchronization

extension EmbeddedLog {
    /// Appends records; several partitions in one call become visible and durable together.
    ///
    /// Returns at once. `completion` is called when the records are as durable as the configuration's
    /// `acknowledge` says: on the commit thread, those of one cycle one after the other in the order of
    /// the appends, so it has to be short. Refusals that need no disk are reported on the caller's thread.
    /// Appends of one thread to one partition keep their order.
    ///
    /// On the caller's thread, batches are compressed as the topic says. What is there already is not appended again, and
    /// answered with its place: batches that repeat a producer's sequence, records whose event id is in the topic's window,
    /// rows of a mark.
    ///
    /// Errors: `overloaded`, `storageFull`, `unknownTopic`, `unknownPartition`, `recordTooLarge`,
    /// `appendTooLarge`, `invalidAppend`, `outOfOrderSequence`, `producerFenced`, `closed`, `failed`. After `failed` it is not known whether the
    /// records are kept; after any other error they are not.
    package func append(
        _ appends: [PartitionAppend], completion: @escaping @Sendable (Result<[AppendReceipt], LogError>) -> Void
    ) {
        do throws(LogError) {
            var item = QueuedAppend()
            item.parts.reserveCapacity(appends.count)
            for append in appends {
                let part = try resolve(append)
                item.bytes += JournalFormat.partBytes(part.records.byteCount)
                if part.producer != nil { item.bytes += ProducerMarkRecord.maxBytes }
                if part.sequence != nil { item.bytes += ProducerStateRecord.maxBytes }
                item.parts.append(part)
            }
            try checkSize(item)
            if configuration.acknowledge == .enqueued {
                try enqueue(item)
                completion(.success(item.parts.map { AppendReceipt(baseOffset: -1, newRecords: $0.records.recordCount, duplicates: 0) }))
            } else {
                item.completion = completion
                try enqueue(item)
            }
        } catch {
            completion(.failure(error))
        }
    }

    /// The handle of a partition, which spares `append` the look-up. It stays valid while the topic exists.
    package func partition(_ topic: String, _ number: Int32) throws(LogError) -> PartitionLog {
        guard let found = registry.withLock({ $0[topic] }) else {
            throw LogError(.unknownTopic, "there is no topic \"\(topic)\"")
        }
        guard let partition = found.partition(number) else {
            throw LogError(.unknownPartition, "topic \"\(topic)\" has partitions 0 to \(found.partitions.count - 1), not \(number)")
        }
        return partition
    }

    /// Puts an item into the queue, waking the commit thread only if it sleeps.
    func enqueue(_ item: QueuedAppend) throws(LogError) {
        let wake: Bool = try queue.withLock { queue throws(LogError) in
            if let refusal = queue.refusal { throw refusal }
            if queue.bytes + item.bytes > configuration.maxQueuedBytes, queue.bytes > 0, item.control == nil {
                throw LogError(
                    .overloaded,
                    "\(queue.bytes) bytes of appends wait for the disk, and the limit is \(configuration.maxQueuedBytes); try again later")
            }
            queue.bytes += item.bytes
            queue.items.append(item)
            defer { queue.commitThreadWaits = false }
            return queue.commitThreadWaits
        }
        if wake { queue.signalAll() }
    }

    private func resolve(_ append: PartitionAppend) throws(LogError) -> QueuedAppend.Part {
        let target: PartitionLog
        switch append.target {
        case .name(let topic, let number): target = try partition(topic, number)
        case .partition(let handle): target = handle
        }
        if target.topic.isInternal {
            throw LogError(.invalidAppend, "topic \"\(target.topic.name)\" is the log's own and takes no appends")
        }
        if append.records.largestRecordBytes > configuration.maxRecordBytes {
            throw LogError(
                .recordTooLarge,
                "a record for topic \"\(target.topic.name)\" has \(append.records.largestRecordBytes) bytes, and the limit is "
                    + "\(configuration.maxRecordBytes); send less, or raise the limit")
        }
        if let mark = append.producer {
            guard mark.rows.count == append.records.recordCount, zip(mark.rows, mark.rows.dropFirst()).allSatisfy({ $0 <= $1 }) else {
                throw LogError(
                    .invalidAppend, "a producer mark needs one row a record, ascending: \(mark.rows.count) rows for "
                        + "\(append.records.recordCount) records")
            }
        }
        let settings = target.topic.configuration
        return QueuedAppend.Part(
            partition: target, records: append.records.compressed(with: settings.compression), producer: append.producer,
            sequence: append.records.isSequenced ? append.records.producer : nil,
            eventIDs: settings.deduplication == nil ? [] : try append.records.eventIDs())
    }

    func checkSize(_ item: QueuedAppend) throws(LogError) {
        if item.parts.isEmpty { throw LogError(.invalidAppend, "an append needs at least one partition") }
        if item.bytes > configuration.maxAppendBytes {
            throw LogError(
                .appendTooLarge, "an append has \(item.bytes) bytes, and the limit is \(configuration.maxAppendBytes); split it")
        }
    }
}
