import Martlet
import Synchronization

/// The config of modules that tests make directly.
struct NoConfig: ModuleConfig {
    init(from fields: inout ConfigFields) {}
}

/// A sink whose writes a test decides, and that keeps what was handled.
class ScriptedSink: Sink, @unchecked Sendable {
    // Unchecked: a class for the sake of subclassing; all of its state is immutable or behind a lock.
    typealias Script = @Sendable (_ batch: [Record], _ attempt: Int) throws -> WriteResult

    static var name: String { "scripted" }
    static var summary: String { "for tests" }

    let hasAtomicBatches: Bool
    let script: Script
    private struct State {
        var attempts = 0
        var handled: [Record] = []
    }
    private let state = Mutex(State())

    /// - Parameter script: called for each write, with the number of the call, from 1.
    init(isAtomic: Bool, _ script: @escaping Script) {
        hasAtomicBatches = isAtomic
        self.script = script
    }

    required init?(config: NoConfig, context: ModuleContext) { nil }

    /// Payloads of what was handled, in order.
    var handled: [String] { state.withLock { $0.handled.map(\.event.payload.string) } }
    var attempts: Int { state.withLock { $0.attempts } }

    func open() async throws {}
    func close() async {}

    func write(_ batch: [Record]) async throws -> WriteResult {
        let attempt = state.withLock { state in
            state.attempts += 1
            return state.attempts
        }
        let result = try script(batch, attempt)
        state.withLock { state in
            switch result {
            case .handled: state.handled += batch
            case .each(let errors): state.handled += zip(batch, errors).filter { $0.1 == nil }.map(\.0)
            }
        }
        return result
    }
}

/// A scripted sink that keeps the group's offset with what it handled.
final class ScriptedTransactionalSink: ScriptedSink, TransactionalSink, @unchecked Sendable {
    private let stored = Mutex<(offset: Offset?, moves: [Range<Offset>])>((nil, []))

    convenience init(_ script: @escaping Script) {
        self.init(isAtomic: true, script)
    }

    var storedOffset: Offset? { stored.withLock { $0.offset } }
    /// What each commit covered.
    var moves: [Range<Offset>] { stored.withLock { $0.moves } }

    func committedOffset(of partition: GroupPartition) async throws -> Offset? { storedOffset }

    func write(_ batch: [Record], moving partition: GroupPartition, from expected: Offset?, to next: Offset) async throws {
        guard storedOffset == expected else {
            throw ModuleError.blocked("group.fenced", "expected \(expected ?? -1), stored \(storedOffset ?? -1)")
        }
        _ = try await write(batch)
        stored.withLock { stored in
            stored.moves.append((stored.offset ?? 0)..<next)
            stored.offset = next
        }
    }

    func resetOffset(of partition: GroupPartition, to offset: Offset?) async throws {
        stored.withLock { $0.offset = offset }
    }
}

/// A transform whose results a test decides.
final class ScriptedTransform: Transform {
    typealias Script = @Sendable (_ batch: [Record]) throws -> [TransformResult]

    static let name = "scripted"
    static let summary = "for tests"
    private let script: Script

    init(_ script: @escaping Script) {
        self.script = script
    }

    init?(config: NoConfig, context: ModuleContext) { nil }

    func apply(to batch: [Record]) async throws -> [TransformResult] { try script(batch) }
}
