import Martlet
import MartletTesting
import Synchronization
import Testing

@Suite struct TransformContractTests {
    enum TransformFlaw: String, Flaw {
        case none, closeHangs, oneResultLess, resultForNothing, refusesGood, wrongPlace, changesKey, newIDs, dependsOnBatch
        case badFailsAll, badIsTransient, badIsDropped, mixesBatches, hangsWhenCancelled

        var broken: String? {
            switch self {
            case .none: nil
            case .closeHangs: "closed at any time"
            case .oneResultLess, .resultForNothing: "one result for each record"
            case .refusesGood: "a good record failed"
            case .wrongPlace: "has the place of the record"
            case .changesKey: "`keepsKey` is true"
            case .newIDs: "results of the same batch again"
            case .dependsOnBatch: "results of the records one by one"
            case .badFailsAll: "failed as a whole"
            case .badIsTransient, .badIsDropped: "the only one that fails, permanently"
            case .mixesBatches: "do not disturb each other"
            case .hangsWhenCancelled: "ends when its task is cancelled"
            }
        }
    }

    @Test(arguments: TransformFlaw.allCases) func aFlawIsSeen(_ flaw: TransformFlaw) async {
        await expectBroken(flaw) {
            try await TransformContract.verify(
                payload: { "good \($0)" }, badPayload: "bad", patience: .seconds(1), make: { FlawedTransform(flaw) })
        }
    }
}

/// Puts `seen: ` before each payload.
private final class FlawedTransform: Transform {
    static let name = "flawed"
    static let summary = "For tests."
    private typealias Flaw = TransformContractTests.TransformFlaw
    private let flaw: Flaw
    private let current = Mutex<[Record]>([])

    init(_ flaw: TransformContractTests.TransformFlaw) { self.flaw = flaw }
    init?(config: NoConfig, context: ModuleContext) { nil }

    func apply(to batch: [Record]) async throws -> [TransformResult] {
        if flaw == .hangsWhenCancelled, Task.isCancelled { await hang() }
        if flaw == .badFailsAll, batch.contains(where: { $0.event.payload == "bad" }) {
            throw ModuleError.transient("test.bad", "a bad record")
        }
        var batch = batch
        if flaw == .mixesBatches {
            current.withLock { $0 = batch }
            for _ in 0..<100 { await Task.yield() }
            batch = current.withLock { $0 }
        }
        var results = batch.map { result($0, of: batch.count) }
        if flaw == .oneResultLess { results = Array(results.dropLast()) }
        if flaw == .resultForNothing, batch.isEmpty { results.append(.drop) }
        return results
    }

    private func result(_ record: Record, of count: Int) -> TransformResult {
        if record.event.payload == "bad" {
            switch flaw {
            case .badIsDropped: return .drop
            case .badIsTransient: return .fail(.transient("test.bad", "a bad record"))
            default: return .fail(.permanent("test.bad", "a bad record"))
            }
        }
        if flaw == .refusesGood, record.offset == 1 { return .fail(.permanent("test.refused", "refused")) }
        var record = record
        record.event.payload = Bytes("seen: \(record.event.payload)")
        switch flaw {
        case .wrongPlace: record.offset += 1
        case .changesKey: record.event.key = "other"
        case .newIDs: record.event.id = EventID.generate()
        case .dependsOnBatch: record.event.payload = Bytes("\(count)")
        default: break
        }
        return .keep(record)
    }

    func close() async {
        if flaw == .closeHangs { await hang() }
    }
}
