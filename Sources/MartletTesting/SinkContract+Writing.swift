import Martlet

extension SinkContract {
    func verifyLifeCycle() async throws {
        let promise = Promise("a sink can be closed at any time, more than once")
        let unopened = try await make()
        try await patience.run("close before open", promise) { await unopened.close() }
        let sink = try await make()
        try await patience.run("open, then close twice", promise) {
            try await sink.open()
            await sink.close()
            await sink.close()
        }
    }

    /// A store that is away shows at `open`, or at `write` where opening connects to nothing.
    func verifyAway() async throws {
        guard let makeUnreachable else { return }
        let promise = Promise("while the store is away nothing is handled and nothing refused for good")
        let sink = try await makeUnreachable()
        let batch = records(0..<3)
        try await patience.run("open, write and close twice while the store is away", promise) {
            do {
                try await sink.open()
                for kind in try await outcomes(of: batch, sink) {
                    try promise.require(kind != nil, "a record was reported as handled while the store is away")
                    try promise.require(kind != .permanent, "a record was refused for good while the store is away, which would drop it")
                }
            } catch let error as ModuleError {
                try promise.require(error.kind != .permanent, "the error of a store that is away is permanent, which would drop records: \(error)")
            } catch let error as ContractViolation {
                throw error
            } catch {
                throw ContractViolation(promise.text, "a store that is away made the sink throw \(error), which is no ModuleError")
            }
            await sink.close()
            await sink.close()
        }
    }

    /// The kind of each record's failure; nil for handled.
    private func outcomes(of batch: [Record], _ sink: any Sink) async throws -> [ModuleError.Kind?] {
        if let sink = sink as? any TransactionalSink {
            try await sink.write(batch, moving: place(0), from: nil, to: Offset(batch.count))
            return batch.map { _ in nil }
        }
        guard case .each(let errors) = try await sink.write(batch) else { return batch.map { _ in nil } }
        return errors.map { $0?.kind }
    }

    func verifyCancellation() async throws {
        let promise = Promise("`write` ends when its task is cancelled, and the same records can be written after that")
        let batch = records(600..<900)
        try await withSink { sink in
            if sink is any TransactionalSink { return }
            try await patience.runCancelled("write in a cancelled task", promise) { _ = try await sink.write(batch) }
            try await patience.run("write after that", promise) { try await requireHandled(sink, batch, promise) }
            let ids = Set(try await written())
            let missing = batch.map { $0.event.id.string }.filter { !ids.contains($0) }
            try promise.require(missing.isEmpty, "\(missing.count) records are missing, such as \(missing.prefix(3))")
        }
    }

    func verifyWriting() async throws {
        let promise = Promise("a batch is written whole, and again without harm when it comes again")
        try await withSink { sink in
            _ = try await sink.write([])
            try await requireHandled(sink, records(0..<3), promise)
            try await requireWritten(0..<3, promise, "after a batch")
            try await requireHandled(sink, records(0..<500), promise)
            try await requireWritten(0..<500, promise, "after a batch that holds earlier records again")
            guard isOrdered else { return }
            var firsts: [String] = []
            var seen = Set<String>()
            for id in try await written() where seen.insert(id).inserted { firsts.append(id) }
            try promise.require("the ids in the order of their first arrival", firsts, is: (0..<500).map { "record-\($0)" })
        }
    }

    func verifyBadRecord() async throws {
        guard let badPayload else { return }
        let promise = Promise("a bad record is the only one that fails, permanently")
        try await withSink { sink in
            let batch = records(500..<502) + [record(502, badPayload)] + records(503..<505)
            if sink.hasAtomicBatches {
                try await promise.requireError(.permanent, from: "a batch with a bad record") { _ = try await sink.write(batch) }
                try await requireWritten(0..<500, promise, "after an atomic batch with a bad record")
                try await promise.requireError(.permanent, from: "the bad record alone") { _ = try await sink.write([batch[2]]) }
                try await requireHandled(sink, batch.filter { $0.offset != 502 }, promise)
            } else {
                guard case .each(let outcomes) = try await sink.write(batch) else {
                    throw ContractViolation(promise.text, "a batch with a bad record was reported as handled")
                }
                try promise.require("kinds of the outcomes", outcomes.map { $0?.kind }, is: [nil, nil, .permanent, nil, nil])
            }
            try await requireWritten([Int](0..<502) + [503, 504], promise, "after a batch with a bad record")
        }
    }

    private func requireHandled(_ sink: any Sink, _ batch: [Record], _ promise: Promise) async throws {
        guard case .each(let outcomes) = try await sink.write(batch) else { return }
        try promise.require("outcomes of \(batch.count) records", outcomes.count, is: batch.count)
        if let error = outcomes.compactMap({ $0 }).first {
            throw ContractViolation(promise.text, "a good record was refused: \(error)")
        }
    }
}
