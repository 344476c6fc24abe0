package import Martlet
import Synchronization

/// Lets so many records a time through, all together or of each key; holds the others back, or drops them.
///
/// Lifecycle: decode, validate (compiles the template), apply, which waits while records are held back. Nothing is opened or
/// closed. The counts are this process's: several hosts have a rate each.
package final class ThrottleTransform: Transform {
    package static let name = "throttle"
    package static let summary = "Limits how many records go through in a time."
    package static let isStateful = true

    package enum Policy: String, CaseIterable, ConfigValue {
        case hold, drop
    }

    package struct Config: ModuleConfig {
        let rateEvents: Int
        let interval: Int
        let burstEvents: Int?
        let key: ConfigText?
        let policy: Policy
        let maxKeys: Int

        package init(from fields: inout ConfigFields) {
            rateEvents = fields.required("rate_events", in: 1...1_000_000, "Records that go through in `interval_ms`.", example: 100)
            interval = fields.optional("interval_ms", default: 1000, in: 1...86_400_000, "The time that the rate is for.")
            burstEvents = fields.optional(
                "burst_events", in: 1...1_000_000, "Records that may go through at once after a quiet time; left out, `rate_events`.")
            key = fields.optional("key", "A template: each of its values has the rate for itself. Left out, all records share it.", example: "${/user}")
            policy = fields.optional(
                "policy", default: .hold, "`hold`: records wait, and with them the partition; `drop`: those past the rate are dropped.")
            maxKeys = fields.optional(
                "max_keys", default: 100_000, in: 1...10_000_000, "Keys that are counted; past it the one not seen for longest starts anew.")
        }
    }

    private let template: TemplateSet?
    private let reader: any PayloadReader
    private let policy: Policy
    private let buckets: Mutex<TokenBuckets>
    private let dropped: Counter
    private let held: Histogram

    package init?(config: Config, context: ModuleContext) {
        if let key = config.key {
            guard let template = context.template(key, allowing: [.record, .header]) else { return nil }
            self.template = TemplateSet([template])
        } else {
            template = nil
        }
        reader = context.payloads
        policy = config.policy
        buckets = Mutex(
            TokenBuckets(
                rate: Double(config.rateEvents) * 1000 / Double(config.interval),
                burst: config.burstEvents ?? config.rateEvents, limit: config.maxKeys))
        let labels = [("module", context.name)]
        dropped = context.metrics.counter("martlet_throttle_dropped_total", "Records dropped past the rate.", labels: labels)
        held = context.metrics.histogram("martlet_throttle_held_seconds", "How long batches were held back.", labels: labels)
    }

    package func apply(to batch: [Record]) async throws -> [TransformResult] {
        let now = ContinuousClock.now
        var wait = Duration.zero
        let results = batch.map { record -> TransformResult in
            do throws(ModuleError) {
                let key = try key(of: record)
                switch policy {
                case .drop:
                    if buckets.withLock({ $0.take(key, at: now) }) { return .keep(record) }
                    dropped.add()
                    return .drop
                case .hold:
                    wait = max(wait, buckets.withLock { $0.reserve(key, at: now) })
                    return .keep(record)
                }
            } catch {
                return .fail(error)
            }
        }
        if wait > .zero {
            held.record(wait)
            try await Task.sleep(for: wait)
        }
        return results
    }

    private func key(of record: Record) throws(ModuleError) -> Bytes {
        guard let template else { return .empty }
        return Bytes(try template.evaluate(TemplateInput(record), with: reader)[0].rendered)
    }
}
