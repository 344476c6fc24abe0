package import Martlet
import Synchronization

/// Drops records whose key was let through before, within a window of so many keys and so long a time.
///
/// The window is this process's memory: after a restart it is empty, and a duplicate of an event before it passes. What it
/// remembers is where the first record stands in the log, so that one which is read again, after a failure of what comes
/// behind or a reset, is not taken for its own duplicate.
///
/// Lifecycle: decode, validate (compiles the template), apply. Nothing is opened or closed; `apply` does not suspend.
package final class DedupeTransform: Transform {
    package static let name = "dedupe"
    package static let summary = "Drops records whose key was there before, within a window."
    package static let isStateful = true
    // What a source lets through may yet be refused by the log, and must not be a duplicate when it comes again.
    package static let runsInSources = false

    package struct Config: ModuleConfig {
        let key: ConfigText
        let windowEvents: Int
        let windowSeconds: Int

        package init(from fields: inout ConfigFields) {
            key = fields.optional("key", default: "${@id}", "What two records have in common that are the same, a template.", example: "${/order}/${/state}")
            windowEvents = fields.optional(
                "window_events", default: 100_000, in: 1...10_000_000, "Keys that are remembered; past it the oldest is forgotten.")
            windowSeconds = fields.optional(
                "window_seconds", default: 3600, in: 1...31_536_000,
                "How far apart the timestamps of two events may be for the second to be dropped.")
        }
    }

    private let template: TemplateSet
    private let reader: any PayloadReader
    private let seen: Mutex<SeenKeys>
    private let dropped: Counter

    package init?(config: Config, context: ModuleContext) {
        guard let template = context.template(config.key, allowing: [.record, .header]) else { return nil }
        self.template = TemplateSet([template])
        reader = context.payloads
        seen = Mutex(SeenKeys(limit: config.windowEvents, age: Int64(config.windowSeconds) * 1000))
        dropped = context.metrics.counter(
            "martlet_dedupe_dropped_total", "Records dropped as duplicates.", labels: [("module", context.name)])
    }

    package func apply(to batch: [Record]) async throws -> [TransformResult] {
        let keys = batch.map { record -> Result<DataValue, ModuleError> in
            Result { () throws(ModuleError) in try template.evaluate(TemplateInput(record), with: reader)[0] }
        }
        return seen.withLock { seen in
            zip(batch, keys).map { record, key in
                switch key {
                case .failure(let error): return .fail(error)
                // Without a key there is nothing that it could have in common.
                case .success(.null): return .keep(record)
                case .success(let value):
                    // A copy: a slice would keep the batch's memory.
                    guard seen.isDuplicate(Bytes(value.rendered), record) else { return .keep(record) }
                    dropped.add()
                    return .drop
                }
            }
        }
    }
}
