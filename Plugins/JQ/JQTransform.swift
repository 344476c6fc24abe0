package import Martlet

/// Runs a jq program (libjq 1.6) over the payload of each record.
///
/// No output drops the record, one keeps it with that payload, several split it. A program that fails is the record's
/// permanent error. An output equal to the payload leaves the original bytes, digit by digit; in any other output
/// libjq rounds whole numbers past 2^53.
///
/// Lifecycle: decode, validate (compiles the program), apply. Nothing is opened or closed. Records of one batch are
/// handled one after the other on the caller's thread; batches may run at the same time. A program that never ends cannot
/// be interrupted: it holds its partition and a thread until the host is restarted.
package struct JQTransform: Transform {
    package static let name = "jq"
    package static let summary = "Filters, maps or splits records with a jq program."

    package struct Config: ModuleConfig {
        let program: ConfigText
        let splitLimitEvents: Int

        package init(from fields: inout ConfigFields) {
            program = fields.required(
                "program", "The jq program. Its input is the payload; `$id`, `$key`, `$topic`, `$timestamp` and `$headers` are the record's.",
                example: "select(.actor != .recipient)")
            splitLimitEvents = fields.optional(
                "split_limit_events", default: 1000, in: 1...100_000,
                "How many outputs one record may have; more are the record's permanent error.")
        }
    }

    private let pool: JQPool
    private let payloads: any PayloadReader
    private let limit: Int

    package init?(config: Config, context: ModuleContext) {
        let source = JQSource(config.program.plain)
        if let refusal = source.refusal {
            context.problem(
                at: config.program.place(atPlainOffset: refusal.offset), code: "jq.program",
                "`\(refusal.name)` cannot stand in this jq program: \(refusal.reason)")
            return nil
        }
        do throws(JQProgram.CompileError) {
            pool = try JQPools.pool(source)
        } catch {
            let place = config.program.place(atPlainOffset: Self.offset(ofLine: error.line ?? 0, in: source.program))
            let line = error.line.map { " (line \($0 + 1) of the program)" } ?? ""
            context.problem(at: place, code: "jq.program", "the jq program does not compile: \(error.message)\(line)")
            return nil
        }
        payloads = context.payloads
        limit = config.splitLimitEvents
    }

    package func apply(to batch: [Record]) async throws -> [TransformResult] {
        try await pool.withProgram { program in
            batch.map { apply(program, to: $0) }
        }
    }

    private func apply(_ program: JQProgram, to record: Record) -> TransformResult {
        do throws(PayloadError) {
            // libjq takes the last of two equal keys and other readers the first: such a payload could pass a filter.
            try payloads.check(record.event.payload)
        } catch {
            return .fail(.permanent("jq.bad_payload", "the payload cannot be read: \(error.message)"))
        }
        switch program.run(record, limit: limit) {
        case .unchanged:
            return .keep(record)
        case .failed(let message):
            return .fail(.permanent("jq.failed", "the jq program failed: \(message)"))
        case .outputs(let payloads):
            let records = payloads.map { payload in
                var copy = record
                copy.event.payload = payload
                return copy
            }
            return switch records.count {
            case 0: .drop
            case 1: .keep(records[0])
            default: .split(records)
            }
        }
    }

    /// Where a line begins, in UTF-8 bytes.
    private static func offset(ofLine line: Int, in program: String) -> Int {
        program.split(separator: "\n", omittingEmptySubsequences: false).prefix(line).reduce(0) { $0 + $1.utf8.count + 1 }
    }
}
