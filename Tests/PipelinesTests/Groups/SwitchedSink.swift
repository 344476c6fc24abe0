import Martlet
import Synchronization

/// A sink that a test lets succeed, fail or wait, and that remembers what it took.
final class SwitchedSink: Sink {
    struct Config: ModuleConfig {
        init(from fields: inout ConfigFields) {}
    }

    enum Mode {
        case takes
        /// Each write fails, and may succeed when tried again.
        case fails
        /// Each write waits for another mode.
        case waits
    }

    static let name = "switched"
    static let summary = "Does what a test says."

    private let mode = Mutex(Mode.takes)
    private let payloads = Mutex<[String]>([])

    init() {}

    init?(config: Config, context: ModuleContext) {
        nil
    }

    var taken: [String] { payloads.withLock { $0 } }
    var hasAtomicBatches: Bool { false }

    func turn(_ mode: Mode) {
        self.mode.withLock { $0 = mode }
    }

    func open() async throws {}

    func write(_ batch: [Record]) async throws -> WriteResult {
        while mode.withLock({ $0 }) == .waits { try? await Task.sleep(for: .milliseconds(2)) }
        if mode.withLock({ $0 }) == .fails { throw ModuleError.transient("test.away", "the sink is away") }
        payloads.withLock { $0 += batch.map(\.event.payload.string) }
        return .handled
    }

    func close() async {}
}
