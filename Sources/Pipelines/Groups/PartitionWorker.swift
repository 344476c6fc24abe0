import Martlet

/// Reads one partition for a group, batch after batch, from the group's offset on. It ends only by cancellation.
struct PartitionWorker: Sendable {
    let settings: GroupSettings
    let place: GroupPartition
    let log: any EventLog
    let target: GroupTarget
    let processor: BatchProcessor
    let committer: OffsetCommitter
    let gate: PauseGate
    let metrics: GroupMetrics
    let health: GroupHealth
    let progress: PartitionProgress
    let logger: Logger

    /// Where the worker stands: the offset stored in a transactional sink, and the next offset to read.
    private struct Position {
        var stored: Offset?
        var next: Offset
        /// What was read from `next` on: one read brings several batches.
        var ahead: ArraySlice<Record> = []
        /// Records that a worker before this one counted as consumed and did not settle; they are not counted again.
        var carried: Int
        /// Waits after the stored offset was found elsewhere, several times in a row.
        var fences: Backoff
    }

    func run() async {
        do {
            var position = try await retrying { try await startPosition() }
            progress.move(to: position.next)
            while !Task.isCancelled {
                await gate.pass()
                guard !Task.isCancelled else { return }
                let batch = try await retrying { try await nextBatch(&position) }
                // A batch that was only read leaves nothing behind, so a pause that came meanwhile drops it.
                guard !batch.isEmpty, gate.enter(place) else { continue }
                defer { gate.leave(place) }
                try await settle(batch, &position)
            }
        } catch {
            // Only a cancellation leaves `retrying`: the group stops, and what is not settled comes again.
            logger.debug("partition stops", ("topic", place.topic.text), ("partition", String(place.partition)))
        }
    }

    private func startPosition() async throws -> Position {
        let carried = metrics.inFlight.value
        let fences = Backoff(initial: settings.retryInitial, maximum: settings.retryMaximum)
        if let sink = target.transactional {
            let stored = try await sink.committedOffset(of: place)
            let next = try await first(stored)
            guard stored == nil, settings.start == .latest else { return Position(stored: stored, next: next, carried: carried, fences: fences) }
            // Kept at once: whoever reads the partition next, here or elsewhere, must not begin at a later end.
            do {
                try await sink.write([], moving: place, from: nil, to: next)
                return Position(stored: next, next: next, carried: carried, fences: fences)
            } catch let error as ModuleError where error.code == GroupOffsetTable.fencedCode {
                throw ModuleError.transient("group.start_moved", "\(place.topic)/\(place.partition) got an offset meanwhile; looking again")
            }
        }
        let committed = try await log.committedOffset(group: settings.name, topic: place.topic, partition: place.partition)
        let next = try await first(committed)
        if committed == nil, settings.start == .latest { committer.moved(place.topic, place.partition, to: next) }
        return Position(stored: nil, next: next, carried: carried, fences: fences)
    }

    /// The stored offset; without one, where the group begins. That is asked of the log, which may be elsewhere.
    private func first(_ stored: Offset?) async throws -> Offset {
        if let stored { return stored }
        let offsets = try await log.positions(of: place.topic).offsets
        guard offsets.indices.contains(Int(place.partition)) else {
            throw ModuleError.transient("log.unknown_partition", "the log does not know \(place.topic)/\(place.partition) yet")
        }
        let available = offsets[Int(place.partition)]
        return settings.start == .earliest ? available.lowerBound : available.upperBound
    }

    private func nextBatch(_ position: inout Position) async throws -> [Record] {
        if position.ahead.count < settings.batchEvents { position.ahead = try await read(&position) }
        if position.ahead.isEmpty {
            try await log.waitForRecord(topic: place.topic, partition: place.partition, at: position.next)
            if gate.isPaused { return [] }
            position.ahead = try await read(&position)
        }
        let isPartial = !position.ahead.isEmpty && position.ahead.count < settings.batchEvents
        if isPartial && settings.batchWait > .zero {
            try await Task.sleep(for: settings.batchWait)
            position.ahead = try await read(&position)
        }
        return Array(position.ahead.prefix(settings.batchEvents))
    }

    private func read(_ position: inout Position) async throws -> ArraySlice<Record> {
        do {
            return try await log.read(
                topic: place.topic, partition: place.partition, from: position.next, maxBytes: settings.batchBytes)[...]
        } catch let error as OffsetOutOfRange {
            guard error.offset < error.available.lowerBound else {
                throw ModuleError.blocked(
                    "group.offset_beyond_end",
                    "group \(settings.name) stands at offset \(error.offset) of \(place.topic)/\(place.partition), whose end "
                        + "is \(error.available.upperBound): the log lost data or was replaced; reset the group to go on")
            }
            let lost = error.available.lowerBound - position.next
            metrics.consumed.add(Int(lost))
            metrics.expired.add(Int(lost))
            logger.error(
                "retention removed \(lost) records before the group read them",
                ("topic", place.topic.text), ("partition", String(place.partition)),
                ("from", String(position.next)), ("to", String(error.available.lowerBound)))
            position.next = error.available.lowerBound
            return []
        }
    }

    private func settle(_ batch: [Record], _ position: inout Position) async throws {
        guard let last = batch.last else { return }
        let next = last.offset + 1
        // A batch that a stop interrupts stays in flight, so that the counters add up until it is read again.
        let counted = min(position.carried, batch.count)
        position.carried -= counted
        metrics.consumed.add(batch.count - counted)
        metrics.inFlight.add(batch.count - counted)
        let started = ContinuousClock.now
        let (stored, from) = (position.stored, position.next)
        let tally: BatchProcessor.Tally
        do {
            tally = try await retrying { try await processor.settle(batch, stored: stored, from: from, to: next) }
        } catch let error as ModuleError where error.code == GroupOffsetTable.fencedCode {
            return try await follow(error, batch, &position)
        }
        position.fences.reset()
        metrics.handled.add(tally.handled)
        metrics.filtered.add(tally.filtered)
        metrics.deadLettered.add(tally.deadLettered)
        metrics.inFlight.add(-batch.count)
        metrics.batchLatency.record(.now - started)
        position.next = next
        position.ahead = position.ahead.count > batch.count ? position.ahead.dropFirst(batch.count) : []
        if target.transactional != nil {
            position.stored = next
        } else {
            committer.moved(place.topic, place.partition, to: next)
        }
        progress.move(to: next)
    }

    /// Another owner, or an operator's SQL, has moved the stored offset: goes on from where it is now. Records of the
    /// batch before it are settled, and not by us.
    private func follow(_ error: ModuleError, _ batch: [Record], _ position: inout Position) async throws {
        let wait = position.fences.next()
        health.failed(place, error, retryIn: wait)
        try await Task.sleep(for: wait)
        let found = try await retrying { try await startPosition() }
        let settled = batch.count(where: { $0.offset < found.next })
        metrics.handled.add(settled)
        metrics.inFlight.add(-settled)
        position.stored = found.stored
        position.next = found.next
        position.ahead = []
        position.carried += batch.count - settled
        progress.move(to: found.next)
    }

    /// Errors of the log and of the sink's store hold the partition; only cancellation and `group.fenced` get out.
    private func retrying<Value>(_ body: () async throws -> Value) async throws -> Value {
        var backoff = Backoff(initial: settings.retryInitial, maximum: settings.retryMaximum)
        while true {
            do {
                let value = try await body()
                health.succeeded(place)
                return value
            } catch {
                try Task.checkCancellation()
                let failure = error as? ModuleError ?? .transient("group.read_failed", "\(error)")
                if failure.code == GroupOffsetTable.fencedCode { throw failure }
                let wait = backoff.next(atLeast: failure.retryAfter)
                health.failed(place, failure, retryIn: wait)
                try await Task.sleep(for: wait)
            }
        }
    }
}
