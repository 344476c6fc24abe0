import Glibc
public import Martlet

/// Prints records on standard output, one line each.
///
/// 1. decode: ``ConsoleSinkConfig``.
/// 2. validate: the template must compile.
/// 3. open: nothing; standard output is there.
/// 4. write: one write a batch, so that lines of several partitions do not mix. It waits while nobody reads standard
///    output; if that is closed the group is blocked.
/// 5. close: nothing.
public final class ConsoleSink: Sink {
    public typealias Config = ConsoleSinkConfig

    public static let name = "console"
    public static let summary = "Prints records on standard output, one line each."

    private let templates: TemplateSet?
    private let payloads: any PayloadReader
    private let output: ConsoleOutput

    public convenience init?(config: Config, context: ModuleContext) {
        self.init(config: config, context: context, descriptor: STDOUT_FILENO)
    }

    init?(config: Config, context: ModuleContext, descriptor: Int32) {
        if let text = config.template {
            guard let template = context.template(text, allowing: [.record, .header]) else { return nil }
            templates = TemplateSet([template])
        } else {
            templates = nil
        }
        payloads = context.payloads
        output = ConsoleOutput(descriptor: descriptor)
    }

    public var hasAtomicBatches: Bool { false }

    public func open() async throws {}

    public func write(_ batch: [Record]) async throws -> WriteResult {
        var text: [UInt8] = []
        var errors: [ModuleError?] = []
        for record in batch {
            do throws(ModuleError) {
                try append(record, to: &text)
                errors.append(nil)
            } catch {
                errors.append(error)
            }
        }
        try await output.write(text)
        return errors.contains { $0 != nil } ? .each(errors) : .handled
    }

    public func close() async {}

    private func append(_ record: Record, to text: inout [UInt8]) throws(ModuleError) {
        guard let templates else {
            let isJSON = (try? payloads.check(record.event.payload)) != nil
            ConsoleLine.append(record, isJSON: isJSON, to: &text)
            return
        }
        for value in try templates.evaluate(TemplateInput(record), with: payloads) { text += value.rendered.utf8 }
        text.append(UInt8(ascii: "\n"))
    }
}
