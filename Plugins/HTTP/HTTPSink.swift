public import Martlet
import Synchronization

/// Sends a request for each record.
///
/// 1. decode: ``HTTPSinkConfig``.
/// 2. validate: the templates; the host of the URL does not come from records.
/// 3. open: makes a client; connects to nobody yet.
/// 4. write: requests of different keys at the same time, those of one key in order: after one that is to be tried again, the later
///    ones of its key wait.
/// 5. close: ends what is under way.
public final class HTTPSink: Sink {
    public typealias Config = HTTPSinkConfig

    public static let name = "http"
    public static let summary = "Sends an HTTP request for each record."

    private let plan: RequestPlan
    private let http: any OutgoingHTTP
    private let settings: OutgoingHTTPSettings
    private let concurrency: Int
    private let client = Mutex<(any OutgoingHTTPClient)?>(nil)

    public init?(config: Config, context: ModuleContext) {
        guard let plan = RequestPlan(config, context) else { return nil }
        self.plan = plan
        http = context.http
        concurrency = config.maxConcurrentRequests
        var settings = OutgoingHTTPSettings()
        // Whoever writes the config chooses the host.
        settings.addresses = .any
        settings.maxConnections = config.maxConcurrentRequests * 4
        settings.certificateFile = config.caFile?.resolved
        self.settings = settings
    }

    public var hasAtomicBatches: Bool { false }

    public func open() async throws {
        let made = try http.client(settings)
        let old = client.withLock { client in
            defer { client = made }
            return client
        }
        await old?.close()
    }

    public func write(_ batch: [Record]) async throws -> WriteResult {
        guard let client = client.withLock({ $0 }) else { throw ModuleError.transient("http.client_closed", "the sink is closed") }
        let lanes = Lanes(batch)
        let outcomes = try await withThrowingTaskGroup(of: [(Int, ModuleError?)].self) { tasks in
            for lane in lanes.indexes.prefix(concurrency) { tasks.addTask { try await self.send(lane, batch, client) } }
            var next = min(concurrency, lanes.indexes.count)
            var outcomes = [ModuleError?](repeating: nil, count: batch.count)
            for try await results in tasks {
                for (index, error) in results { outcomes[index] = error }
                guard next < lanes.indexes.count else { continue }
                let lane = lanes.indexes[next]
                next += 1
                tasks.addTask { try await self.send(lane, batch, client) }
            }
            return outcomes
        }
        return outcomes.contains { $0 != nil } ? .each(outcomes) : .handled
    }

    public func close() async {
        let closing = client.withLock { client in
            defer { client = nil }
            return client
        }
        await closing?.close()
    }

    /// Sends the records of one key, in order.
    private func send(
        _ lane: [Int], _ batch: [Record], _ client: any OutgoingHTTPClient
    ) async throws -> [(Int, ModuleError?)] {
        var results: [(Int, ModuleError?)] = []
        var held: ModuleError?
        for index in lane {
            if let held {
                results.append((index, held))
                continue
            }
            let error = try await send(batch[index], client)
            results.append((index, error))
            if let error, error.kind != .permanent {
                held = ModuleError(error.kind, code: "http.held_back", "waits for an earlier record of its key: \(error.message)", retryAfter: error.retryAfter)
            }
        }
        return results
    }

    /// Nil if the request was taken.
    private func send(_ record: Record, _ client: any OutgoingHTTPClient) async throws -> ModuleError? {
        do {
            let request = try plan.request(for: record)
            return ResponseOutcome.error(try await client.send(request), host: plan.host)
        } catch let error as ModuleError {
            return error
        }
    }

    /// The records of a batch by key, in the order in which the keys come; each without a key for itself.
    private struct Lanes {
        private(set) var indexes: [[Int]] = []

        init(_ batch: [Record]) {
            var lanes: [Bytes: Int] = [:]
            for (index, record) in batch.enumerated() {
                if let key = record.event.key, let lane = lanes[key] {
                    indexes[lane].append(index)
                } else {
                    if let key = record.event.key { lanes[key] = indexes.count }
                    indexes.append([index])
                }
            }
        }
    }
}
