package import Martlet

/// A group's or a source's transforms, applied one after the other to a batch.
package struct TransformChain: Sendable {
    package let transforms: [any Transform]

    package init(_ transforms: [any Transform]) {
        self.transforms = transforms
    }

    /// The outputs of each record of the batch, in order: none if it was filtered; an error if a transform failed on it.
    package func apply(to batch: [Record]) async throws -> [Result<[Record], ModuleError>] {
        var results = batch.map { Result<[Record], ModuleError>.success([$0]) }
        for transform in transforms {
            results = try await apply(transform, to: results)
        }
        return transforms.isEmpty ? results : results.map { $0.map(Self.numbered) }
    }

    private func apply(
        _ transform: any Transform, to results: [Result<[Record], ModuleError>]
    ) async throws -> [Result<[Record], ModuleError>] {
        let inputs = results.flatMap { (try? $0.get()) ?? [] }
        let outcomes = try await transform.apply(to: inputs)
        guard outcomes.count == inputs.count else {
            throw ModuleError.blocked(
                "transform.wrong_count",
                "transform \(type(of: transform).name) returned \(outcomes.count) results for \(inputs.count) records; "
                    + "it must return one for each: this is a defect of the module")
        }
        var next = 0
        return results.map { result in
            result.flatMap { records in
                defer { next += records.count }
                return Self.gather(outcomes[next..<next + records.count])
            }
        }
    }

    /// One consumed record fails as a whole if any of its parts does.
    private static func gather(_ outcomes: ArraySlice<TransformResult>) -> Result<[Record], ModuleError> {
        var records: [Record] = []
        for outcome in outcomes {
            switch outcome {
            case .keep(let record): records.append(record)
            case .drop: break
            case .split(let parts): records.append(contentsOf: parts)
            case .fail(let error): return .failure(error)
            }
        }
        return .success(records)
    }

    /// The parts of one record keep their order by `index`, and get ids of their own, so that a table keyed by id has all.
    private static func numbered(_ records: [Record]) -> [Record] {
        guard records.count > 1 else { return records }
        return records.enumerated().map { index, record in
            var record = record
            record.index = Int32(index)
            if index > 0 { record.event.id = Bytes("\(record.event.id.string).\(index)") }
            return record
        }
    }
}
