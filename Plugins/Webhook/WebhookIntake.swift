import Martlet
import Synchronization

/// Takes a group's records over: a row for each endpoint that wants one, and the group's offset, in one transaction.
final class WebhookIntake: Sendable {
    private let writer: OffsetWriter
    private let deliveries: DeliveryWriter
    private let payloads: any PayloadReader
    private let metrics: WebhookMetrics
    private let audience = Mutex<Audience?>(nil)
    /// Reads the endpoints anew.
    private let load: @Sendable () async throws -> Audience
    /// Told of what was committed: ids and the endpoints that got some.
    private let arrived: @Sendable (DeliveryWriter.Taken, [String]) -> Void

    init(
        writer: OffsetWriter, deliveries: DeliveryWriter, payloads: any PayloadReader, metrics: WebhookMetrics,
        load: @escaping @Sendable () async throws -> Audience,
        arrived: @escaping @Sendable (DeliveryWriter.Taken, [String]) -> Void
    ) {
        self.writer = writer
        self.deliveries = deliveries
        self.payloads = payloads
        self.metrics = metrics
        self.load = load
        self.arrived = arrived
    }

    /// What was read of the endpoints is not so any more.
    func forget() {
        audience.withLock { $0 = nil }
    }

    /// - Parameter place: the partition and the offsets to move between; nil for records that have none.
    func take(_ batch: [Record], _ place: (partition: GroupPartition, expected: Offset?, next: Offset)?) async throws {
        while true {
            let audience = try await current()
            let rows = try audience.rows(of: batch, deliveries, payloads: payloads, now: Timestamp.now())
            do {
                return try await write(batch, rows, version: audience.version, place)
            } catch let error as ModuleError where error.code == DeliveryWriter.changedCode {
                forget()
            }
        }
    }

    private func current() async throws -> Audience {
        if let audience = audience.withLock({ $0 }) { return audience }
        let loaded = try await load()
        audience.withLock { $0 = loaded }
        return loaded
    }

    private func write(
        _ batch: [Record], _ rows: [DeliveryWriter.Row], version: Int64,
        _ place: (partition: GroupPartition, expected: Offset?, next: Offset)?
    ) async throws {
        let box = TakenBox()
        let body: OffsetWriter.Body = { [deliveries] connection, range throws(ModuleError) in
            // After a commit whose answer was lost, only what it did not cover is written.
            let first = rows.firstIndex { $0.record >= range.lowerBound } ?? rows.endIndex
            box.taken = try deliveries.write(rows[first...], version: version, connection)
        }
        if let place {
            try await writer.write(batch, moving: place.partition, from: place.expected, to: place.next, body)
        } else {
            try await writer.write(batch, body)
        }
        guard let taken = box.taken, taken.count > 0 else { return }
        metrics.taken.add(taken.count)
        var names: [String] = []
        var seen: Set<String> = []
        for row in rows where seen.insert(row.endpoint).inserted { names.append(row.endpoint) }
        arrived(taken, names)
    }
}

/// Carries the body's result from the database's thread to the task.
private final class TakenBox: @unchecked Sendable {
    // Unchecked: written by the body on the database's thread, read by the task after the completion.
    var taken: DeliveryWriter.Taken?
}
