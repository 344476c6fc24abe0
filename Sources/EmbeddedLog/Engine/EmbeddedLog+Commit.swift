import Synchronization

// The commit thread: queue → one journal entry, one sync → visible → completions.
extension EmbeddedLog {
    func commitLoop() {
        while waitForAppends() { runTakenCycle() }
    }

    /// Runs one cycle of what is queued; `false` if nothing was. For logs that run no threads.
    @discardableResult
    package func runCommitCycle() -> Bool {
        precondition(!runsThreads, "the commit thread runs the cycles")
        takeQueued()
        if committer.pending.isEmpty { return false }
        runTakenCycle()
        return true
    }

    /// Blocks until there is something to do; `false` when the log closes.
    private func waitForAppends() -> Bool {
        if !committer.pending.isEmpty {
            takeQueued()
            return true
        }
        let committer = committer
        return queue.wait { queue -> Bool? in
            queue.bytes -= committer.releasedBytes
            committer.releasedBytes = 0
            if !queue.items.isEmpty {
                committer.take(&queue)
                return true
            }
            if queue.closing { return false }
            queue.commitThreadWaits = true
            return nil
        }
    }

    private func takeQueued() {
        queue.withLock { queue in
            queue.bytes -= committer.releasedBytes
            committer.releasedBytes = 0
            committer.take(&queue)
        }
    }

    private func runTakenCycle() {
        let committer = committer
        committer.reset()
        committer.gather(maxBytes: min(configuration.maxCycleBytes, configuration.maxAppendBytes))
        for item in committer.items { item.control?() }
        if let failure = queue.withLock({ $0.refusal }), failure.code == .failed {
            committer.failAll(failure)
        } else {
            do throws(LogError) {
                try waitForFlusher()
                refuseWhenFull()
                try makeRoomOrRefuse()
                planCycle()
                if !committer.plans.isEmpty { try commitPlanned() }
            } catch {
                if error.code != .closed { fail(error) }
                committer.failAll(queue.withLock { $0.refusal } ?? error)
            }
        }
        complete()
    }

    /// Bounds what is committed but not in the segments yet.
    private func waitForFlusher() throws(LogError) {
        let limit = configuration.maxUnflushedBytes
        if flush.withLock({ $0.unflushedBytes <= limit || $0.blocked != nil }) { return }
        if !runsThreads { return runFlush() }
        flush.signalAll()
        flush.wait { [self] state -> Void? in
            state.unflushedBytes <= limit || state.blocked != nil || state.closing || hasFailed ? () : nil
        }
    }

    /// Refuses appends before the disk is full.
    private func refuseWhenFull() {
        let (unflushed, blocked) = flush.withLock { ($0.unflushedBytes, $0.blocked) }
        var refusal = blocked
        var ownRefusal = blocked
        if refusal == nil, configuration.minFreeBytes > 0 {
            let minimum = configuration.minFreeBytes
            do throws(LogError) {
                let free = try storage.freeBytes(paths.root) - Int64(unflushed)
                if free < minimum {
                    let error = LogError(
                        .storageFull,
                        "\(max(free, 0)) bytes are free, and the log refuses records below \(minimum) (min_free_bytes); free space on this file system",
                        path: paths.root)
                    refusal = error
                    if free < minimum / 2 { ownRefusal = error }
                }
            } catch {
                refusal = error
            }
        }
        guard let refusal else { return }
        for (index, item) in committer.items.enumerated() where committer.errors[index] == nil && !item.parts.isEmpty {
            committer.errors[index] = item.isInternal ? ownRefusal : refusal
        }
    }

    private func makeRoomOrRefuse() throws(LogError) {
        let wanted = committer.items.indices.contains { committer.errors[$0] == nil && !committer.items[$0].parts.isEmpty }
        if !wanted { return }
        do throws(LogError) {
            try ensureJournalRoom()
        } catch where error.code == .storageFull {
            committer.failAll(error)
        }
    }

    /// Calls the completions, in the order of the appends.
    private func complete() {
        committer.releaseRecords()
        for (index, item) in committer.items.enumerated() {
            committer.releasedBytes += item.bytes
            guard let completion = item.completion else { continue }
            if let error = committer.errors[index] {
                completion(.failure(error))
            } else {
                completion(.success(committer.receipts[index]))
            }
        }
        committer.reset()
    }
}

extension Committer {
    fileprivate func take(_ queue: inout AppendQueue) {
        if pending.isEmpty, queue.items.isEmpty { return }
        var taken: [QueuedAppend] = []
        swap(&taken, &queue.items)
        queue.items.reserveCapacity(min(taken.count, 1024))
        for item in taken { pending.append(item) }
    }

    /// Moves the next cycle's appends out of `pending`: at least one, then up to `maxBytes`.
    fileprivate func gather(maxBytes: Int) {
        var bytes = 0
        var count = 0
        while count < pending.count, count == 0 || bytes + pending[count].bytes <= maxBytes {
            bytes += pending[count].bytes
            items.append(pending[count])
            receipts.append([])
            errors.append(nil)
            count += 1
        }
        pending.removeFirst(count)
    }

    fileprivate func failAll(_ error: LogError) {
        for index in errors.indices where errors[index] == nil { errors[index] = error }
    }
}
