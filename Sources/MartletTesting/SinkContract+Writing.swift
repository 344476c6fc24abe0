import Martlet

extension SinkContract {
    func verifyLifeCycle() async throws {
        let promise = Promise("a sink can be closed at any time, more than once")
        let unopened = try await make()
        await unopened.close()
        try await withSink { sink in await sink.close() }
        if let makeUnreachable {
            let sink = try await makeUnreachable()
            let error = try await promise.requireError(from: "open while the store is away") { try await sink.open() }
            try promise.require(
                error.kind != .permanent, "the error of a store that is away is permanent, which would drop records: \(error)")
            await sink.close()
            await sink.close()
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
