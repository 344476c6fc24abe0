package import Martlet

/// Writes records to files, a line of JSON each, that are finished by size and age.
///
/// 1. decode: ``FileSinkConfig``.
/// 2. validate: nothing more.
/// 3. open: opens and locks the unfinished file; cuts off a line that a crash left half written.
/// 4. write: the batch's lines in one go, synced to disk before it counts as handled. After a crash the last batch may be there twice.
/// 5. close: the unfinished file stays, and is gone on with after the next open.
package final class FileSink: Sink {
    package typealias Config = FileSinkConfig

    package static let name = "file"
    package static let summary = "Writes records to files, a line of JSON each, that are finished by size and age."

    private let settings: Config
    private let payloads: any PayloadReader
    private let logger: Logger
    private let thread = WorkerSlot()
    private let aging = SourceTask()
    private let file: RotatingFile

    package init?(config: Config, context: ModuleContext) {
        settings = config
        payloads = context.payloads
        logger = context.logger
        file = RotatingFile(path: config.path.resolved, rotateBytes: config.rotateBytes, rotateAge: .seconds(config.rotateSeconds))
    }

    package var hasAtomicBatches: Bool { false }

    package func open() async throws {
        let worker = try thread.open()
        do {
            try await worker.run { [file] in try file.open() }
        } catch {
            await thread.close()
            throw error
        }
        aging.start(logger: logger) { [file, settings] in
            while true {
                try await Task.sleep(for: .seconds(min(settings.rotateSeconds, 60)) / 4)
                try await worker.run { try file.finishIfOld() }
            }
        }
    }

    package func write(_ batch: [Record]) async throws -> WriteResult {
        var lines: [UInt8] = []
        var errors: [ModuleError?] = []
        for record in batch {
            do throws(ModuleError) {
                try append(record, to: &lines)
                errors.append(nil)
            } catch {
                errors.append(error)
            }
        }
        let text = lines
        if !text.isEmpty {
            guard let worker = thread.current else { throw ModuleError.transient("file.closed", "the sink is closed") }
            try await worker.run { [file] in try file.append(text) }
        }
        return errors.contains { $0 != nil } ? .each(errors) : .handled
    }

    package func close() async {
        await aging.stop()
        if let worker = thread.current { _ = try? await worker.run { [file] in file.close() } }
        await thread.close()
    }

    private func append(_ record: Record, to lines: inout [UInt8]) throws(ModuleError) {
        let isJSON = (try? payloads.check(record.event.payload)) != nil
        switch settings.format {
        case .payload:
            guard isJSON else {
                throw .permanent("file.bad_payload", "the payload is not JSON, and would be no line; `\"format\": \"record\"` takes any")
            }
            record.event.payload.appendOnOneLine(to: &lines)
        case .record:
            RecordLine.append(record, isJSON: isJSON, to: &lines)
        }
        lines.append(UInt8(ascii: "\n"))
    }
}
