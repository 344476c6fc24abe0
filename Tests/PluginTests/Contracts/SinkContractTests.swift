import Martlet
import MartletTesting
import Synchronization
import Testing

@Suite struct SinkContractTests {
    enum SinkFlaw: String, Flaw {
        case none, closeHangs, handlesWhileAway, refusesWhileAway, failsStrangely, losesOne, reverses, refusesRepeats, oneOutcomeLess
        case badIsHandled, badIsTransient, badTakesOthers, losesSecondPartition, hangsWhenCancelled
        /// A sink that says that its batches are atomic.
        case atomic, atomicLeavesRest

        var isAtomic: Bool { self == .atomic || self == .atomicLeavesRest }

        var broken: String? {
            switch self {
            case .none, .atomic: nil
            case .closeHangs: "closed at any time"
            case .handlesWhileAway: "reported as handled while the store is away"
            case .refusesWhileAway: "a store that is away is permanent"
            case .failsStrangely: "which is no ModuleError"
            case .losesOne: "missing [\"record-2\"]"
            case .reverses: "order of their first arrival"
            case .refusesRepeats: "a good record was refused"
            case .oneOutcomeLess: "outcomes of"
            case .badIsHandled, .badIsTransient, .badTakesOthers: "a bad record is the only one that fails, permanently"
            case .losesSecondPartition: "after four partitions"
            case .hangsWhenCancelled: "ends when its task is cancelled"
            case .atomicLeavesRest: "after an atomic batch with a bad record"
            }
        }
    }

    @Test(arguments: SinkFlaw.allCases) func aFlawIsSeen(_ flaw: SinkFlaw) async {
        let store = MemoryStore()
        await expectBroken(flaw) {
            try await SinkContract.verify(
                payload: { "good \($0)" }, badPayload: "bad", isOrdered: true, patience: .seconds(flaw.broken == nil ? 30 : 2),
                make: { FlawedSink(flaw, store) }, makeUnreachable: { FlawedSink(flaw, store, isAway: true) },
                written: { store.ids })
        }
    }
}

/// Where the sinks of one test write to.
private final class MemoryStore: Sendable {
    private let written = Mutex<[String]>([])
    var ids: [String] { written.withLock { $0 } }

    /// False if it is there already.
    func add(_ id: String) -> Bool {
        written.withLock { ids in
            if ids.contains(id) { return false }
            ids.append(id)
            return true
        }
    }
}

private final class FlawedSink: Sink {
    static let name = "flawed"
    static let summary = "For tests."
    var hasAtomicBatches: Bool { flaw.isAtomic }
    private struct Strange: Error {}
    private let flaw: SinkContractTests.SinkFlaw
    private let store: MemoryStore
    private let isAway: Bool

    init(_ flaw: SinkContractTests.SinkFlaw, _ store: MemoryStore, isAway: Bool = false) {
        self.flaw = flaw
        self.store = store
        self.isAway = isAway
    }

    init?(config: NoConfig, context: ModuleContext) { nil }

    func open() async throws {}

    func write(_ batch: [Record]) async throws -> WriteResult {
        if isAway {
            switch flaw {
            case .handlesWhileAway: return .handled
            case .refusesWhileAway: throw ModuleError.permanent("test.away", "away")
            case .failsStrangely: throw Strange()
            default: throw ModuleError.transient("test.away", "away")
            }
        }
        if flaw == .hangsWhenCancelled, Task.isCancelled { await hang() }
        if flaw.isAtomic { return try writeTogether(batch) }
        var errors = (flaw == .reverses ? batch.reversed() : batch).map(take)
        if flaw == .badTakesOthers, batch.contains(where: { $0.event.payload == "bad" }) {
            errors = errors.map { _ in .permanent("test.bad", "bad") }
        }
        return .each(flaw == .oneOutcomeLess ? Array(errors.dropLast()) : errors)
    }

    private func writeTogether(_ batch: [Record]) throws -> WriteResult {
        let bad = batch.firstIndex { $0.event.payload == "bad" }
        if bad == nil || flaw == .atomicLeavesRest { for record in batch[..<(bad ?? batch.endIndex)] { _ = take(record) } }
        if bad != nil { throw ModuleError.permanent("test.bad", "bad") }
        return .handled
    }

    private func take(_ record: Record) -> ModuleError? {
        if record.event.payload == "bad" {
            switch flaw {
            case .badIsHandled: return nil
            case .badIsTransient: return .transient("test.bad", "bad")
            default: return .permanent("test.bad", "bad")
            }
        }
        if flaw == .losesOne, record.offset == 2 { return nil }
        if flaw == .losesSecondPartition, record.partition == 11 { return nil }
        let isNew = store.add(record.event.id.string)
        return flaw == .refusesRepeats && !isNew ? .permanent("test.again", "again") : nil
    }

    func close() async {
        if flaw == .closeHangs { await hang() }
    }
}
