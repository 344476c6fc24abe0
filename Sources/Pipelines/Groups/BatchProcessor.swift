package import Martlet

/// Settles batches of one partition: transforms, sink or channel, dead letters. It returns only when every record of
/// the batch is handled, filtered or dead-lettered (or the task is cancelled): transient and blocked failures are
/// tried again for ever, and hold back what comes after them, so that order is kept.
package struct BatchProcessor: Sendable {
    /// What a settled batch came to; consumed records, by their worst outcome.
    package struct Tally: Sendable {
        package var handled = 0
        package var filtered = 0
        package var deadLettered = 0
    }

    /// One consumed record with what the transforms made of it.
    private struct Item {
        let consumed: Record
        var outputs: [Record]
        var isDeadLettered = false
    }

    private let target: GroupTarget
    private let transforms: TransformChain
    private let deadLetters: DeadLetters
    private let settings: GroupSettings
    private let metrics: GroupMetrics
    private let health: GroupHealth
    private let place: GroupPartition

    package init(
        target: GroupTarget, transforms: TransformChain, deadLetters: DeadLetters, settings: GroupSettings,
        metrics: GroupMetrics, health: GroupHealth, place: GroupPartition
    ) {
        self.target = target
        self.transforms = transforms
        self.deadLetters = deadLetters
        self.settings = settings
        self.metrics = metrics
        self.health = health
        self.place = place
    }

    /// - Parameters:
    ///   - stored: the offset that a transactional sink has stored; nil if none.
    ///   - position: the first offset not covered by earlier batches.
    ///   - next: the offset after the batch's last record.
    /// - Throws: `group.fenced` if the stored offset is not `stored`; cancellation.
    package func settle(
        _ batch: [Record], stored: Offset?, from position: Offset, to next: Offset
    ) async throws -> Tally {
        let results = try await transformed(batch)
        var items: [Item] = []
        items.reserveCapacity(batch.count)
        for (record, result) in zip(batch, results) {
            switch result {
            case .success(let outputs):
                items.append(Item(consumed: record, outputs: outputs))
            case .failure(let error):
                try await deadLetter(record, error, attempts: 1)
                items.append(Item(consumed: record, outputs: [], isDeadLettered: true))
            }
        }
        var stored = stored
        if target.hasAtomicBatches {
            var covered = position
            try await writeAtomically(&items, 0..<items.count, &stored, &covered, next: next)
        } else {
            try await writeEach(&items, position: position, next: next)
        }
        return tally(items)
    }

    /// A chain that fails permanently as a whole has failed on each record.
    private func transformed(_ batch: [Record]) async throws -> [Result<[Record], ModuleError>] {
        do {
            return try await retrying { try await transforms.apply(to: batch) }
        } catch let error as ModuleError {
            return batch.map { _ in .failure(error) }
        }
    }

    private func tally(_ items: [Item]) -> Tally {
        var tally = Tally()
        for item in items {
            if item.isDeadLettered {
                tally.deadLettered += 1
            } else if item.outputs.isEmpty {
                tally.filtered += 1
            } else {
                tally.handled += 1
            }
        }
        return tally
    }

    // MARK: Atomic sinks: a failing batch is split until the record at fault stands alone.

    private func writeAtomically(
        _ items: inout [Item], _ range: Range<Int>, _ stored: inout Offset?, _ covered: inout Offset, next: Offset
    ) async throws {
        do {
            try await writeRange(items, range, &stored, &covered, next: next)
        } catch let error as ModuleError where error.kind == .permanent {
            if range.count == 1 {
                let index = range.lowerBound
                try await deadLetter(items[index].consumed, error, attempts: 1)
                items[index].isDeadLettered = true
                items[index].outputs = []
                try await writeRange(items, range, &stored, &covered, next: next)
                return
            }
            let middle = range.lowerBound + range.count / 2
            let boundary = items[middle].consumed.offset
            try await writeAtomically(&items, range.lowerBound..<middle, &stored, &covered, next: boundary)
            try await writeAtomically(&items, middle..<range.upperBound, &stored, &covered, next: next)
        }
    }

    private func writeRange(
        _ items: [Item], _ range: Range<Int>, _ stored: inout Offset?, _ covered: inout Offset, next: Offset
    ) async throws {
        let outputs = items[range].flatMap(\.outputs)
        let expected = stored
        let from = covered
        if let sink = target.transactional {
            try await retrying(holdsAlways: outputs.isEmpty) {
                try await sink.write(outputs, moving: place, from: expected, to: next)
            }
            stored = next
        } else if !outputs.isEmpty || target.wantsEmptyBatches {
            try await retrying(holdsAlways: outputs.isEmpty) {
                let result = try await target.write(outputs, of: place, covering: from..<next)
                // An atomic target has taken all or nothing: one error is the batch's.
                if case .each(let errors) = result, let error = errors.lazy.compactMap({ $0 }).first { throw error }
            }
        }
        covered = next
    }

    // MARK: Other targets report an outcome for each record; those that may yet succeed are tried again.

    private func writeEach(_ items: inout [Item], position: Offset, next: Offset) async throws {
        var waiting = items.indices.flatMap { index in items[index].outputs.map { (index, $0) } }
        if waiting.isEmpty, !target.wantsEmptyBatches { return }
        var backoff = Backoff(initial: settings.retryInitial, maximum: settings.retryMaximum)
        var attempts = 0
        repeat {
            attempts += 1
            let records = waiting.map(\.1)
            let result = try await retrying { try await attempt(records, covering: position..<next) }
            guard case .each(let errors) = result, errors.contains(where: { $0 != nil }) else { break }
            var again: [(Int, Record)] = []
            var firstError: ModuleError?
            for (entry, error) in zip(waiting, errors) {
                guard let error else { continue }
                if error.kind == .permanent {
                    guard !items[entry.0].isDeadLettered else { continue }
                    try await deadLetter(items[entry.0].consumed, error, attempts: attempts)
                    items[entry.0].isDeadLettered = true
                } else {
                    again.append(entry)
                    firstError = firstError ?? error
                }
            }
            waiting = again
            if let firstError {
                try await pause(for: firstError, &backoff)
            }
        } while !waiting.isEmpty
        health.succeeded(place)
    }

    /// A failure that all records share comes as an outcome for each, so that one path handles both.
    private func attempt(_ records: [Record], covering: Range<Offset>) async throws -> WriteResult {
        do {
            let result = try await target.write(records, of: place, covering: covering)
            if case .each(let errors) = result, errors.count != records.count {
                throw ModuleError.blocked(
                    "sink.wrong_count",
                    "the sink gave \(errors.count) outcomes for \(records.count) records; it must give one for each: "
                        + "this is a defect of the module")
            }
            return result
        } catch let error as ModuleError where error.kind == .permanent {
            return .each(records.map { _ in error })
        }
    }

    // MARK: Retrying

    private func deadLetter(_ record: Record, _ error: ModuleError, attempts: Int) async throws {
        try await retrying(holdsAlways: true) { try await deadLetters.write(record, error: error, attempts: attempts) }
        health.deadLettered(place, record, error)
    }

    /// Runs `body` until it succeeds or fails permanently; transient and blocked failures wait and are tried again, and
    /// so is an error of a module's own, which does not say what it is. Throws a permanent `ModuleError`, `group.fenced`, or
    /// a cancellation.
    ///
    /// - Parameter holdsAlways: no record is at fault, so that a permanent failure too waits and is tried again.
    private func retrying<Value>(holdsAlways: Bool = false, _ body: () async throws -> Value) async throws -> Value {
        var backoff = Backoff(initial: settings.retryInitial, maximum: settings.retryMaximum)
        while true {
            do {
                let value = try await body()
                health.succeeded(place)
                return value
            } catch {
                try Task.checkCancellation()
                let failure = error as? ModuleError ?? .transient("module.unexpected_error", "\(error)")
                if failure.kind == .permanent, !holdsAlways { throw failure }
                // Trying again from an offset that is not the stored one any more would be in vain.
                if failure.code == GroupOffsetTable.fencedCode { throw failure }
                try await pause(for: failure, &backoff)
            }
        }
    }

    private func pause(for error: ModuleError, _ backoff: inout Backoff) async throws {
        metrics.retries.add()
        let wait = backoff.next(atLeast: error.retryAfter)
        health.failed(place, error, retryIn: wait)
        try await Task.sleep(for: wait)
    }
}
