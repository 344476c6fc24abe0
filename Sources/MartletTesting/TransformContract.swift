public import Martlet

/// What every ``Transform`` promises, as a suite that an author runs on a new transform with one call:
///
/// ```swift
/// try await TransformContract.verify(
///     payload: { #"{"name": "row \#($0)"}"# }, badPayload: "{}",
///     make: { try host.make(MaskTransform.self, #"{"field": "/name"}"#) })
/// ```
public struct TransformContract: Sendable {
    /// Makes a transform that is not open yet; always the same one.
    public typealias Factory = @Sendable () async throws -> any Transform

    private let records: ContractRecords
    private let badPayload: String?
    private let make: Factory
    private let patience: Patience

    /// Verifies all promises.
    ///
    /// - Parameters:
    ///   - payload: the payload of the record with a number; records have the ids `record-0` … and keys.
    ///   - badPayload: a payload that the transform must refuse as the record's own fault; nil if there is none.
    ///   - patience: how long to wait for a transform before it counts as hanging.
    /// - Throws: ``ContractViolation`` for the first promise that is broken.
    public static func verify(
        payload: @escaping @Sendable (Int) -> String, badPayload: String? = nil, patience: Duration = .seconds(10),
        make: @escaping Factory
    ) async throws {
        let contract = TransformContract(
            records: ContractRecords(payload: payload), badPayload: badPayload, make: make, patience: Patience(limit: patience))
        try await contract.verifyLifeCycle()
        try await contract.verifyCounts()
        try await contract.verifyPlaces()
        try await contract.verifyRepetition()
        try await contract.verifyBadRecord()
        try await contract.verifyConcurrency()
        try await contract.verifyCancellation()
    }

    private func verifyLifeCycle() async throws {
        let promise = Promise("a transform can be closed at any time, more than once")
        let unopened = try await make()
        try await patience.run("close before open", promise) { await unopened.close() }
        let transform = try await make()
        try await patience.run("open", promise) { try await transform.open() }
        try await patience.run("close, twice", promise) {
            await transform.close()
            await transform.close()
        }
    }

    private func verifyCounts() async throws {
        let promise = Promise("`apply` has one result for each record, whatever the size of the batch")
        try await withTransform { transform in
            for count in [0, 1, 2, 500] {
                let results = try await transform.apply(to: records.records(0..<count))
                try promise.require("results of \(count) records", results.count, is: count)
                for case .fail(let error) in results {
                    throw ContractViolation(promise.text, "a good record failed: \(error)")
                }
            }
        }
    }

    private func verifyPlaces() async throws {
        let promise = Promise("what comes out has the place of the record that went in, and its key if `keepsKey` says so")
        try await withTransform { transform in
            let batch = records.records(7..<27, partition: 3)
            for (record, result) in zip(batch, try await transform.apply(to: batch)) {
                for output in result.outputs {
                    let place = (output.topic, output.partition, output.offset)
                    try promise.require(
                        place == (record.topic, record.partition, record.offset),
                        "of \(record.fingerprint) came \(output.fingerprint)")
                    try promise.require(
                        !transform.keepsKey || output.event.key == record.event.key,
                        "the key changed, and `keepsKey` is true: of \(record.fingerprint) came \(output.fingerprint)")
                }
            }
        }
    }

    private func verifyRepetition() async throws {
        let promise = Promise("a record's result is its own: the same when it comes again, and in another batch, unless `isStateful`")
        let batch = records.records(0..<20)
        try await withTransform { transform in
            guard !type(of: transform).isStateful else { return }
            let together = try await transform.apply(to: batch).map(\.fingerprint)
            try promise.require("results of the same batch again", try await transform.apply(to: batch).map(\.fingerprint), is: together)
            var alone: [String] = []
            for record in batch { alone += try await transform.apply(to: [record]).map(\.fingerprint) }
            try promise.require("results of the records one by one", alone, is: together)
        }
    }

    private func verifyBadRecord() async throws {
        guard let badPayload else { return }
        let promise = Promise("a bad record is the only one that fails, permanently")
        try await withTransform { transform in
            let batch = records.records(0..<2) + [records.record(2, badPayload)] + records.records(3..<5)
            let results: [TransformResult]
            do {
                results = try await transform.apply(to: batch)
            } catch {
                throw ContractViolation(promise.text, "a batch with a bad record failed as a whole: \(error)")
            }
            let kinds = results.map { result -> ModuleError.Kind? in if case .fail(let error) = result { error.kind } else { nil } }
            try promise.require("kinds of the failures", kinds, is: [nil, nil, .permanent, nil, nil])
        }
    }

    private func verifyConcurrency() async throws {
        let promise = Promise("batches of several partitions at the same time do not disturb each other")
        try await withTransform { transform in
            let batches = (0..<8).map { records.records($0 * 20..<$0 * 20 + 20, partition: PartitionID($0)) }
            let isStateful = type(of: transform).isStateful
            var alone: [[String]] = []
            if !isStateful { for batch in batches { alone.append(try await transform.apply(to: batch).map(\.fingerprint)) } }
            // Several rounds: which batches overlap is up to the machine.
            for _ in 0..<(isStateful ? 1 : 10) {
                let together = try await withThrowingTaskGroup(of: (Int, [String]).self) { group in
                    for (index, batch) in batches.enumerated() {
                        group.addTask { (index, try await transform.apply(to: batch).map(\.fingerprint)) }
                    }
                    return try await group.reduce(into: [[String]](repeating: [], count: batches.count)) { $0[$1.0] = $1.1 }
                }
                try promise.require("results of each batch", together.map(\.count), is: batches.map(\.count))
                if !isStateful { try promise.require("results", together, is: alone) }
            }
        }
    }

    private func verifyCancellation() async throws {
        let promise = Promise("`apply` ends when its task is cancelled, and works again after that")
        try await withTransform { transform in
            let batch = records.records(0..<500)
            try await patience.runCancelled("apply in a cancelled task", promise) { _ = try await transform.apply(to: batch) }
            let results = try await patience.run("apply after that", promise) { try await transform.apply(to: batch) }
            try promise.require("results", results.count, is: batch.count)
        }
    }

    private func withTransform(_ body: (any Transform) async throws -> Void) async throws {
        let transform = try await make()
        do {
            try await transform.open()
            try await body(transform)
        } catch {
            await transform.close()
            throw error
        }
        await transform.close()
    }
}

extension TransformResult {
    fileprivate var outputs: [Record] {
        switch self {
        case .keep(let record): [record]
        case .split(let records): records
        case .drop, .fail: []
        }
    }

    fileprivate var fingerprint: String {
        switch self {
        case .keep(let record): "keep \(record.fingerprint)"
        case .drop: "drop"
        case .split(let records): "split \(records.map(\.fingerprint))"
        case .fail(let error): "fail \(error)"
        }
    }
}
