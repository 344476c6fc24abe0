import Martlet
import Pipelines
import Synchronization

/// `GET /v1/topics/{topic}/records`: records as JSON lines, with a wait at the end for readers that follow.
///
/// The answer's header `Martlet-Cursor` is where the next request goes on, as `cursor=`.
final class RecordReadResource: Sendable {
    static let cursorHeader = "Martlet-Cursor"
    static let limitMax = 10_000
    static let waitMax = 30_000
    /// Readers that may wait at once; beyond it 503.
    static let waitingMax = 256

    private let host: Host
    private let waiting = Atomic<Int>(0)

    init(_ host: Host) {
        self.host = host
    }

    func answer(_ exchange: any HTTPExchange, _ topic: TopicInfo) async throws -> HTTPResponse {
        let limit = try exchange.queryInteger("limit", default: 100, in: 1...Self.limitMax)
        let wait = try exchange.queryInteger("wait_ms", default: 0, in: 0...Self.waitMax)
        let start = try await start(exchange, topic)
        var page = try await RecordPage.read(host.log, topic.name, from: start, limit: limit)
        if page.records.isEmpty, wait > 0 {
            try await waitForRecord(topic.name, page.cursor, .milliseconds(wait))
            page = try await RecordPage.read(host.log, topic.name, from: page.cursor, limit: limit)
        }
        var lines: [UInt8] = []
        let json = RecordJSON()
        for record in page.records {
            json.append(record, to: &lines)
            lines.append(UInt8(ascii: "\n"))
        }
        return HTTPResponse(
            status: 200,
            headers: [("Content-Type", "application/x-ndjson"), (Self.cursorHeader, page.cursor.text)], body: Bytes(lines))
    }

    // MARK: Where to begin

    private func start(_ exchange: any HTTPExchange, _ topic: TopicInfo) async throws -> RecordCursor {
        if let text = exchange.queryParameter("cursor") {
            guard let cursor = RecordCursor(text), cursor.positions.allSatisfy({ $0.partition < topic.partitions }) else {
                throw AdminProblem.badRequest("`cursor` must be the \(Self.cursorHeader) of an earlier answer, found `\(text)`")
            }
            return cursor
        }
        let text = exchange.queryParameter("offset") ?? "earliest"
        guard let place = OffsetText(text) else {
            throw AdminProblem.badRequest("`offset` must be \(OffsetText.expected), found `\(text)`")
        }
        let only = exchange.queryParameter("partition") == nil
            ? nil : try exchange.queryInteger("partition", default: 0, in: 0...topic.partitions - 1)
        var positions: [RecordCursor.Position] = []
        for (number, available) in try await host.log.positions(of: topic.name).offsets.enumerated() where only == nil || only == number {
            let partition = PartitionID(number)
            let next = try await offset(place, topic.name, partition, available, isOnly: only != nil || topic.partitions == 1)
            positions.append(RecordCursor.Position(partition: partition, next: next))
        }
        return RecordCursor(positions)
    }

    /// An offset past the end is an error of a reader of one partition; a reader of several waits there.
    private func offset(
        _ place: OffsetText, _ topic: TopicName, _ partition: PartitionID, _ available: Range<Offset>, isOnly: Bool
    ) async throws -> Offset {
        switch place {
        case .earliest: available.lowerBound
        case .latest: available.upperBound
        case .offset(let offset): max(available.lowerBound, isOnly ? offset : min(offset, available.upperBound))
        case .last(let count): max(available.lowerBound, available.upperBound - count)
        case .time(let time): try await host.log.offset(topic: topic, partition: partition, at: time)
        }
    }

    // MARK: Waiting

    /// Returns when any of the partitions has a record, the time is over, or the host stops.
    private func waitForRecord(_ topic: TopicName, _ cursor: RecordCursor, _ wait: Duration) async throws {
        let count = waiting.wrappingAdd(1, ordering: .relaxed).newValue
        defer { waiting.wrappingSubtract(1, ordering: .relaxed) }
        guard count <= Self.waitingMax else {
            throw AdminProblem(503, "Service Unavailable", "\(Self.waitingMax) readers wait already; try again without wait_ms")
        }
        let deadline = ContinuousClock.now + wait
        await withTaskGroup(of: Void.self) { tasks in
            for position in cursor.positions {
                tasks.addTask { [host] in
                    try? await host.log.waitForRecord(topic: topic, partition: position.partition, at: position.next)
                }
            }
            tasks.addTask { [host] in
                // In steps, so that a reader does not hold up the host's stop.
                while host.phase != .stopping, .now < deadline, !Task.isCancelled {
                    try? await Task.sleep(until: min(deadline, .now + .milliseconds(200)))
                }
            }
            await tasks.next()
            tasks.cancelAll()
        }
    }
}
