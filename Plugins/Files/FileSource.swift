package import Martlet

/// Follows files line by line, through rotation, and keeps its position in the data folder.
///
/// 1. decode: ``FileSourceConfig``.
/// 2. validate: nothing more; a file that is not there yet is waited for.
/// 3. open: reads the positions.
/// 4. work: on a thread of its own looks for new lines every `poll_ms`. The position moves once the lines are in the log; a crash in
///    between brings some lines again, with the same ids.
/// 5. close: what is under way ends first, and the position is written.
package final class FileSource: EventSource {
    package typealias Config = FileSourceConfig

    package static let name = "file"
    package static let summary = "Follows files line by line, through rotation."

    private let settings: Config
    private let name: String
    private let state: StateFile
    private let payloads: any PayloadReader
    private let logger: Logger
    private let rejected: Counter
    private let task = SourceTask()
    private let thread = WorkerSlot()

    package init?(config: Config, context: ModuleContext) {
        settings = config
        name = context.name
        state = StateFile(dataDirectory: context.dataDirectory, kind: "sources", name: context.name + ".positions")
        payloads = context.payloads
        logger = context.logger
        rejected = context.metrics.counter(
            "martlet_file_source_rejected_total", "Lines that were no events: not JSON, too long, or refused.",
            labels: [("source", context.name)])
    }

    package var templateVariables: Set<TemplateVariableKind> { [.header] }

    package func open(intake: any Intake) async throws {
        let worker = try thread.open()
        task.start(logger: logger) { [self] in try await run(intake, worker) }
    }

    package func close() async {
        await task.stop()
        await thread.close()
    }

    private func run(_ intake: any Intake, _ worker: BlockingWorker) async throws {
        let follower = FileFollower(settings, name: name, state: state, logger: logger)
        try await worker.run { try follower.begin() }
        do {
            while true {
                try Task.checkCancellation()
                let lines = try await worker.run { try follower.next() }
                if lines.isEmpty {
                    try await worker.run { try follower.store() }
                    try await Task.sleep(for: .milliseconds(settings.pollMilliseconds))
                } else {
                    try await handOn(lines, intake)
                    try await worker.run { try follower.settled() }
                }
            }
        } catch {
            try await worker.run { try follower.store() }
            throw error
        }
    }

    private func handOn(_ lines: [FileFollower.Line], _ intake: any Intake) async throws {
        var inputs: [SourceInput] = []
        var places: [FileFollower.Line] = []
        for line in lines {
            if line.isTooLong {
                reject(line, "file.line_too_long", "a line of more than \(settings.maxLineBytes) bytes (`max_line_bytes`)")
            } else if line.content.isEmpty {
                continue
            } else if let input = input(line) {
                inputs.append(input)
                places.append(line)
            }
        }
        guard !inputs.isEmpty else { return }
        let refused = try await intake.settle(inputs) { [logger] error in
            logger.warning("lines wait: \(error.message)", ("code", error.code))
        }
        for (index, error) in refused { reject(places[index], error.code, error.message) }
    }

    private func input(_ line: FileFollower.Line) -> SourceInput? {
        var payload = line.content
        switch settings.content {
        case .json:
            do throws(PayloadError) {
                try payloads.check(payload)
            } catch {
                reject(line, "file.bad_line", "a line that is not JSON: \(error.message)")
                return nil
            }
        case .text:
            var json = Array(#"{"line":"#.utf8)
            JSONText.appendQuoted(payload.string, to: &json)
            json.append(UInt8(ascii: "}"))
            payload = Bytes(json)
        }
        return SourceInput(payload: payload, headers: [Header("file", Bytes(line.path))], id: line.id)
    }

    private func reject(_ line: FileFollower.Line, _ code: String, _ why: String) {
        rejected.add()
        // A file of something else must not fill the log too.
        let count = rejected.value
        guard count & (count - 1) == 0 else { return }
        logger.warning("skipped \(why)", ("code", code), ("file", line.path), ("offset", String(line.offset)), ("so_far", String(count)))
    }
}
