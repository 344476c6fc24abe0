package import Martlet

/// Hands batches to a process of any language, as lines of JSON on its standard streams; see the plugin's README.
///
/// 1. decode: ``ExecConfig``.
/// 2. validate: nothing more.
/// 3. open: starts the process; returns once it has answered the greeting.
/// 4. write: a line out, a line with a result for each record back. A process that ends, hangs or writes something else is
///    killed and started again; what it had not answered comes again.
/// 5. close: closes its input, waits, SIGTERM, waits, SIGKILL for the whole process group.
package final class ExecSink: Sink {
    package typealias Config = ExecConfig

    package static let name = "exec"
    package static let summary = "Hands records to a process of any language, as lines of JSON on its standard streams."

    private let runner: ExecRunner
    private let services: ExecServices
    private let maxLineBytes: Int
    private let requests: ExecRequests<ModuleError?>

    package init?(config: Config, context: ModuleContext) {
        services = ExecServices(context, kind: "sink")
        runner = ExecRunner(config.process, services: services)
        maxLineBytes = config.process.maxLineBytes
        let reader = services.reader
        requests = ExecRequests(kind: "sink", timeout: config.batchTimeout) { (results, count) throws(ModuleError) in
            try ExecResult.entries(results, count: count, reader).map { (entry) throws(ModuleError) in
                try Self.outcome(ExecResult(entry, reader))
            }
        }
    }

    package var hasAtomicBatches: Bool { false }

    package func open() async throws {
        try await runner.open(requests)
    }

    package func write(_ batch: [Record]) async throws -> WriteResult {
        if batch.isEmpty { return .handled }
        let process = try runner.process()
        let records = ExecRecords(batch, maxLineBytes: maxLineBytes, reader: services.reader)
        var outcomes = [ModuleError?](repeating: nil, count: batch.count)
        for (index, error) in records.tooLarge { outcomes[index] = error }
        for part in records.parts {
            let answers = try await requests.send(part.json, count: part.range.count, through: process)
            outcomes.replaceSubrange(part.range, with: answers)
        }
        return outcomes.contains { $0 != nil } ? .each(outcomes) : .handled
    }

    package func close() async {
        await runner.close()
    }

    private static func outcome(_ result: ExecResult) throws(ModuleError) -> ModuleError? {
        if let error = result.error { return error }
        if result.word == "ok" { return nil }
        throw ExecFailure.badOutput(
            "gave the result \(result.word.map { JSONText.quoted($0) } ?? "of an object without \"retry\", \"reject\" or \"block\"") for a "
                + "record; a sink answers \"ok\", or an object with one of these three")
    }
}
