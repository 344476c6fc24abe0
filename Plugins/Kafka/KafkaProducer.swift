import CRdKafka
import Martlet
import Synchronization

/// Appends to the brokers through one idempotent client: in the order of the calls for each key, retries included.
///
/// Bounded: events of ``KafkaSettings/maxQueuedBytes`` wait for their acknowledgement; beyond it `log.overloaded`.
///
/// When a record is not acknowledged within the delivery timeout, all that were queued behind it fail too, so that none of
/// them overtakes it; the next append goes to a new client. So does it after a fatal error of librdkafka.
final class KafkaProducer: Sendable {
    private struct State {
        var client: KafkaProducerClient?
        var queuedBytes = 0
        var pending = 0
        var isClosed = false
        /// The last client that a fatal error has ended.
        var dead: KafkaProducerClient?
        /// Of such clients, one after the other, since something was kept.
        var deaths = 0
        var backoff = Backoff(initial: .milliseconds(100), maximum: .seconds(5))
        var nextClientAt = ContinuousClock.now
    }

    /// What a record takes beyond its event's bytes, about.
    private static let overhead = 128
    /// How long a close waits for acknowledgements, and then for the failures of the others.
    private static let patience = Duration.seconds(3)

    private let settings: KafkaSettings
    private let health: ServerHealth
    private let threads: KafkaThreads
    private let logger: Logger
    private let makeCallbacks: @Sendable () -> KafkaCallbacks
    private let state = Mutex(State())
    private let drained = KafkaSignal()

    init(
        _ settings: KafkaSettings, _ health: ServerHealth, _ threads: KafkaThreads, _ logger: Logger,
        makeCallbacks: @escaping @Sendable () -> KafkaCallbacks
    ) {
        self.settings = settings
        self.health = health
        self.threads = threads
        self.logger = logger
        self.makeCallbacks = makeCallbacks
    }

    func append(
        _ events: [Event], to topic: KafkaTopic, completion: @escaping @Sendable (Result<[RecordPlace], ModuleError>) -> Void
    ) {
        guard !events.isEmpty else { return completion(.success([])) }
        let bytes = events.reduce(0) { $0 + $1.byteCount + Self.overhead }
        let client: KafkaProducerClient
        let pointer: KafkaPointer
        do throws(ModuleError) {
            try check(events, topic.info.name)
            client = try admit(bytes, topic.info.name)
            do throws(ModuleError) {
                pointer = try client.topic(topic)
            } catch {
                release(bytes)
                throw error
            }
        } catch {
            return completion(.failure(error))
        }
        let append = KafkaAppend(count: events.count, to: topic.info.name, by: client) { [self] result in
            note(result, topic)
            release(bytes)
            completion(result)
        }
        for (index, event) in events.enumerated() {
            let code = client.produce(event, to: pointer, opaque: append.opaque(index))
            guard code != RD_KAFKA_RESP_ERR_NO_ERROR else { continue }
            client.failed(code)
            append.report(events.count - index, failed: client.error(code, topic.info.name))
            break
        }
        client.queued()
    }

    private func check(_ events: [Event], _ topic: TopicName) throws(ModuleError) {
        guard let large = events.first(where: { $0.byteCount + Self.overhead > settings.maxMessageBytes }) else { return }
        throw .permanent(
            "log.record_too_large",
            "a record for topic \"\(topic)\" has \(large.byteCount) bytes, and the limit is \(settings.maxEventBytes); "
                + "send less, or raise the limit")
    }

    /// The client to append with, if there is room. One append is always taken.
    private func admit(_ bytes: Int, _ topic: TopicName) throws(ModuleError) -> KafkaProducerClient {
        try state.withLock { state throws(ModuleError) in
            if state.isClosed { throw KafkaFailure.closed }
            guard state.queuedBytes == 0 || state.queuedBytes + bytes <= settings.maxQueuedBytes else {
                throw .transient(
                    "log.overloaded",
                    "\(state.queuedBytes) bytes of events wait for Kafka, and the limit is \(settings.maxQueuedBytes); try again later")
            }
            let client: KafkaProducerClient
            if let current = state.client, current.isUsable {
                client = current
            } else {
                if let death = state.client?.death(topic) { try mourn(death, &state) }
                client = try KafkaProducerClient(settings, makeCallbacks(), threads)
                state.client = client
                state.dead = nil
            }
            state.queuedBytes += bytes
            state.pending += 1
            return client
        }
    }

    /// A client that meets a fatal error at once, since the user lacks a right, say, is not made anew for each append.
    private func mourn(_ death: ModuleError, _ state: inout State) throws(ModuleError) {
        if state.dead !== state.client {
            state.dead = state.client
            state.deaths += 1
            state.nextClientAt = .now + state.backoff.next()
            if state.deaths & (state.deaths - 1) == 0 {
                logger.warning(
                    "the producer met a fatal error and is made anew: \(death.message)", ("code", death.code),
                    ("times", String(state.deaths)))
            }
        }
        guard ContinuousClock.now >= state.nextClientAt else { throw death }
    }

    /// Something was kept.
    private func recovered() {
        state.withLock { state in
            guard state.deaths > 0 else { return }
            state.deaths = 0
            state.backoff.reset()
        }
    }

    private func release(_ bytes: Int) {
        let isDrained = state.withLock { state in
            state.queuedBytes -= bytes
            state.pending -= 1
            return state.pending == 0 && state.isClosed
        }
        if isDrained { drained.signal() }
    }

    private func note(_ result: Result<[RecordPlace], ModuleError>, _ topic: KafkaTopic) {
        switch result {
        case .success(let places):
            health.answered()
            recovered()
            topic.appended(places)
        case .failure(let error):
            health.doubt(error)
        }
    }

    /// Waits a little for what is not acknowledged yet, then fails it.
    func close() async {
        let (client, isBusy) = state.withLock { state in
            state.isClosed = true
            defer { state.client = nil }
            return (state.client, state.pending > 0)
        }
        guard isBusy else { return }
        await waitUntilDrained()
        client?.giveUp()
        await waitUntilDrained()
    }

    private func waitUntilDrained() async {
        let deadline = ContinuousClock.now + Self.patience
        while state.withLock({ $0.pending > 0 }), ContinuousClock.now < deadline, !Task.isCancelled {
            await drained.wait(until: deadline)
        }
    }
}
