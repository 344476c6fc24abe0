import EmbeddedLog
import Martlet
import Synchronization

/// Takes appends to the log's host: one request at a time for each topic, so that they keep their order. Appends without a
/// mark that come meanwhile share the next one.
///
/// A request without an answer is sent again, up to ``attempts`` times within the time of one request. It is kept once: its
/// batches carry the sequences of a ``RemoteProducer``, or rows of a mark. If there is no answer at all, whoever appended hears
/// that, and what is still on its way is fenced off by a new epoch.
///
/// Bounded: ``queueLimit`` bytes may wait; beyond it `log.overloaded`.
final class RemoteAppender: Sendable {
    /// Bytes of events that wait.
    static let queueLimit = 64 << 20
    /// About the size of one request; a single larger event goes alone.
    fileprivate static let requestBytes = 2 << 20
    fileprivate static let requestEvents = 1_000
    static let attempts = 3

    /// Sends one request; the places are those of the body's records.
    typealias Send = @Sendable (_ body: Bytes, _ count: Int, _ topic: TopicName) async throws -> [RecordPlace]
    /// Asks how many partitions a topic has.
    typealias CountPartitions = @Sendable (_ topic: TopicName) async throws -> Int

    fileprivate struct Item: Sendable {
        let events: [Event]
        let mark: Martlet.ProducerMark?
        let bytes: Int
        let completion: @Sendable (Result<[RecordPlace], ModuleError>) -> Void
    }

    private struct State {
        var waiting: [TopicName: FIFOQueue<Item>] = [:]
        var bytes = 0
        var running: Set<TopicName> = []
        var senders: [TopicName: Sender] = [:]
    }

    /// What is known of a topic; only the request under way uses it.
    private struct Sender: Sendable {
        var producer = RemoteProducer()
        var partitions: Int?
    }

    private struct DeliveryFailure: Error {
        let cause: any Error
        /// Whether the log may have the records.
        let isUncertain: Bool

        var code: String? { (cause as? ModuleError)?.code }
    }

    private let send: Send
    private let countPartitions: CountPartitions
    private let retryTime: Duration
    private let spreader = KeylessSpreader()
    private let state = Mutex(State())

    /// - Parameter retryTime: no attempt begins after this time.
    init(retryTime: Duration, send: @escaping Send, countPartitions: @escaping CountPartitions) {
        self.retryTime = retryTime
        self.send = send
        self.countPartitions = countPartitions
    }

    func append(
        _ events: [Event], to topic: TopicName, mark: Martlet.ProducerMark?,
        completion: @escaping @Sendable (Result<[RecordPlace], ModuleError>) -> Void
    ) {
        let item = Item(events: events, mark: mark, bytes: events.reduce(0) { $0 + $1.byteCount }, completion: completion)
        enum Decision { case refuse, wait, run }
        let decision = state.withLock { state -> Decision in
            guard state.bytes == 0 || state.bytes + item.bytes <= Self.queueLimit else { return .refuse }
            state.bytes += item.bytes
            state.waiting[topic, default: FIFOQueue()].append(item)
            return state.running.insert(topic).inserted ? .run : .wait
        }
        switch decision {
        case .refuse:
            completion(
                .failure(.transient("log.overloaded", "\(Self.queueLimit) bytes of events already wait for the log's host; try again later")))
        case .wait: break
        case .run: Task { await run(topic) }
        }
    }

    private func run(_ topic: TopicName) async {
        while let items = next(topic) {
            if items.count == 1 || items.contains(where: { $0.mark != nil }) {
                for item in items { item.completion(await result(item.events, item.mark, topic)) }
            } else {
                await sendTogether(items, topic)
            }
            let bytes = items.reduce(0) { $0 + $1.bytes }
            state.withLock { $0.bytes -= bytes }
        }
    }

    /// What goes into the next request; nil if nothing waits.
    private func next(_ topic: TopicName) -> [Item]? {
        state.withLock { state in
            guard let items = state.waiting[topic]?.takeTogether(), !items.isEmpty else {
                state.waiting[topic] = nil
                state.running.remove(topic)
                return nil
            }
            return items
        }
    }

    private func sendTogether(_ items: [Item], _ topic: TopicName) async {
        switch await result(items.flatMap(\.events), nil, topic) {
        case .success(let places):
            var start = 0
            for item in items {
                item.completion(.success(Array(places[start..<start + item.events.count])))
                start += item.events.count
            }
        case .failure(let error) where error.kind == .permanent:
            // One of them is at fault; the log keeps all of a request or nothing.
            for item in items { item.completion(await result(item.events, nil, topic)) }
        case .failure(let error):
            for item in items { item.completion(.failure(error)) }
        }
    }

    private func result(_ events: [Event], _ mark: Martlet.ProducerMark?, _ topic: TopicName) async -> Result<[RecordPlace], ModuleError> {
        do {
            return .success(try await places(events[...], mark, topic))
        } catch {
            return .failure(error as? ModuleError ?? .transient("log.remote_failed", "\(error)"))
        }
    }

    /// Sends events in as many requests as their size asks for. If a later one fails, the earlier ones are kept: with a mark
    /// the repetition drops them, without one they come twice.
    private func places(_ events: ArraySlice<Event>, _ mark: Martlet.ProducerMark?, _ topic: TopicName) async throws -> [RecordPlace] {
        var places: [RecordPlace] = []
        var start = events.startIndex
        while start < events.endIndex {
            var end = start + 1
            var bytes = events[start].byteCount
            while end < events.endIndex, bytes + events[end].byteCount <= Self.requestBytes {
                bytes += events[end].byteCount
                end += 1
            }
            let rows = mark.map { Martlet.ProducerMark(producerID: $0.producerID, rows: Array($0.rows[start..<end])) }
            places += try await request(Array(events[start..<end]), rows, topic)
            start = end
        }
        return places
    }

    /// One request, and once more if it was refused for a reason that can be mended here.
    private func request(_ events: [Event], _ mark: Martlet.ProducerMark?, _ topic: TopicName) async throws -> [RecordPlace] {
        var sender = state.withLock { $0.senders[topic] } ?? Sender()
        defer { state.withLock { [sender] state in state.senders[topic] = sender } }
        var isRepeated = false
        while true {
            let partitions = if let known = sender.partitions { known } else { try await countPartitions(topic) }
            sender.partitions = partitions
            let encoded = EncodedAppend(
                events, partitions: partitions, mark: mark, spreader: spreader, producer: mark == nil ? sender.producer : nil)
            do throws(DeliveryFailure) {
                let records = try await deliver(encoded, partitions, mark, topic)
                if mark == nil {
                    for part in encoded.parts { sender.producer.advance(part.partition, by: part.records.recordCount) }
                }
                return encoded.layout.places(records, encoded.parts)
            } catch {
                if error.code == "log.partitions_changed" {
                    sender.partitions = nil
                    if error.isUncertain { sender.producer.beginEpoch() }
                } else if error.isUncertain || error.code == "log.out_of_order_sequence" || error.code == "log.producer_fenced" {
                    sender.producer.beginEpoch()
                } else {
                    throw error.cause
                }
                if isRepeated || error.isUncertain { throw error.cause }
                isRepeated = true
            }
        }
    }

    /// Sends a request until there is an answer.
    private func deliver(
        _ encoded: EncodedAppend, _ partitions: Int, _ mark: Martlet.ProducerMark?, _ topic: TopicName
    ) async throws(DeliveryFailure) -> [RecordPlace] {
        let parts = encoded.parts.map { LogAppendBody.Part(partition: $0.partition, rows: $0.rows, batch: $0.records) }
        let body = LogAppendBody(partitions: partitions, markProducerID: mark?.producerID ?? -1, parts: parts).encoded()
        let count = parts.reduce(0) { $0 + $1.batch.recordCount }
        let start = ContinuousClock.now
        var pause = Duration.milliseconds(100)
        var isUncertain = false
        var attempt = 1
        while true {
            do {
                return try await send(body, count, topic)
            } catch {
                isUncertain = isUncertain || RemoteLogFailure.isUncertain(error)
                let isTransient = (error as? ModuleError)?.kind == .transient
                guard isUncertain, isTransient, attempt < Self.attempts, ContinuousClock.now - start < retryTime,
                    (try? await Task.sleep(for: pause)) != nil
                else { throw DeliveryFailure(cause: error, isUncertain: isUncertain) }
                pause *= 4
                attempt += 1
            }
        }
    }
}

extension FIFOQueue<RemoteAppender.Item> {
    /// Takes the oldest, and those behind it that may share its request.
    fileprivate mutating func takeTogether() -> [RemoteAppender.Item] {
        guard count > 0 else { return [] }
        var items = [removeFirst()]
        guard items[0].mark == nil else { return items }
        var bytes = items[0].bytes
        var events = items[0].events.count
        while count > 0, self[0].mark == nil, bytes + self[0].bytes <= RemoteAppender.requestBytes,
            events + self[0].events.count <= RemoteAppender.requestEvents
        {
            bytes += self[0].bytes
            events += self[0].events.count
            items.append(removeFirst())
        }
        return items
    }
}

extension Event {
    /// About what it takes in a record batch.
    fileprivate var byteCount: Int {
        96 + payload.count + (key?.count ?? 0) + headers.reduce(0) { $0 + $1.name.utf8.count + $1.value.count + 8 }
    }
}
