package import Martlet

/// Lets a process of any language map, filter or split records, as lines of JSON on its standard streams; see the plugin's
/// README. Its life is that of ``ExecSink``.
///
/// What a process keeps in mind nobody knows, so it counts as stateful.
package final class ExecTransform: Transform {
    package typealias Config = ExecConfig

    package static let name = "exec"
    package static let summary = "Maps, filters or splits records in a process of any language."
    package static let isStateful = true

    private let runner: ExecRunner
    private let services: ExecServices
    private let maxLineBytes: Int
    private let requests: ExecRequests<ExecChange>

    package init?(config: Config, context: ModuleContext) {
        services = ExecServices(context, kind: "transform")
        runner = ExecRunner(config.process, services: services)
        maxLineBytes = config.process.maxLineBytes
        let reader = services.reader
        requests = ExecRequests(kind: "transform", timeout: config.batchTimeout) { (results, count) throws(ModuleError) in
            try ExecResult.entries(results, count: count, reader).map { (entry) throws(ModuleError) in
                try ExecChange(entry, reader)
            }
        }
    }

    package var keepsKey: Bool { false }

    package func open() async throws {
        try await runner.open(requests)
    }

    package func apply(to batch: [Record]) async throws -> [TransformResult] {
        if batch.isEmpty { return [] }
        let process = try runner.process()
        let records = ExecRecords(batch, maxLineBytes: maxLineBytes, reader: services.reader)
        var results = batch.map { TransformResult.keep($0) }
        for (index, error) in records.tooLarge { results[index] = .fail(error) }
        for part in records.parts {
            let changes = try await requests.send(part.json, count: part.range.count, through: process)
            for (index, change) in zip(part.range, changes) { results[index] = try change.result(for: batch[index]) }
        }
        return results
    }

    package func close() async {
        await runner.close()
    }
}
