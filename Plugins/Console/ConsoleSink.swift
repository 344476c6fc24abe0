import Glibc
public import Martlet
import Synchronization

/// Prints records on standard output, one line each.
///
/// 1. decode: ``ConsoleSinkConfig``.
/// 2. validate: the template must compile.
/// 3. open: nothing; standard output is there.
/// 4. write: one write call a batch, so that lines of several partitions do not mix. It blocks while the reader of
///    standard output does; a closed standard output blocks the group and says so.
/// 5. close: nothing.
public final class ConsoleSink: Sink {
    public typealias Config = ConsoleSinkConfig

    public static let name = "console"
    public static let summary = "Prints records on standard output, one line each."

    private let payloads: any PayloadReader
    private let output: ConsoleOutput

    public convenience init?(config: Config, context: ModuleContext) {
        self.init(context: context, descriptor: STDOUT_FILENO)
    }

    init(context: ModuleContext, descriptor: Int32) {
        payloads = context.payloads
        output = ConsoleOutput(descriptor: descriptor)
    }

    public var hasAtomicBatches: Bool { false }

    public func open() async throws {}

    public func write(_ batch: [Record]) async throws -> WriteResult {
        var text: [UInt8] = []
        for record in batch { ConsoleLine.append(record, isJSON: isJSON(record.event.payload), to: &text) }
        try await output.write(text)
        return .handled
    }

    public func close() async {}

    private func isJSON(_ payload: Bytes) -> Bool {
        (try? payloads.check(payload)) != nil
    }
}
