import CRdKafka
import Martlet
import Synchronization

/// One append under way: gathers the delivery reports of its records, and completes once after the last of them.
final class KafkaAppend: @unchecked Sendable {
    // Unchecked: `slots` is written before the first record is handed over, and freed after the last report.

    /// What a record's `opaque` points to.
    private struct Slot {
        let append: Unmanaged<KafkaAppend>
        let index: Int
    }

    private struct State {
        var places: [RecordPlace]
        var missing: Int
        var failure: ModuleError?
    }

    let client: KafkaProducerClient
    private let topic: TopicName
    private let slots: UnsafeMutablePointer<Slot>
    private let completion: @Sendable (Result<[RecordPlace], ModuleError>) -> Void
    private let state: Mutex<State>

    /// - Parameter count: at least 1. The object lives until as many records were reported.
    init(
        count: Int, to topic: TopicName, by client: KafkaProducerClient,
        completion: @escaping @Sendable (Result<[RecordPlace], ModuleError>) -> Void
    ) {
        self.client = client
        self.topic = topic
        self.completion = completion
        state = Mutex(State(places: Array(repeating: RecordPlace(partition: 0, offset: 0), count: count), missing: count))
        slots = UnsafeMutablePointer<Slot>.allocate(capacity: count)
        let append = Unmanaged.passRetained(self)
        for index in 0..<count { (slots + index).initialize(to: Slot(append: append, index: index)) }
    }

    deinit {
        slots.deallocate()
    }

    /// The `opaque` of a record.
    func opaque(_ index: Int) -> UnsafeMutableRawPointer { UnsafeMutableRawPointer(slots + index) }

    /// A report of librdkafka.
    static func delivered(_ message: rd_kafka_message_t) {
        guard let opaque = message._private else { return }
        let slot = opaque.assumingMemoryBound(to: Slot.self).pointee
        let append = slot.append.takeUnretainedValue()
        if message.err == RD_KAFKA_RESP_ERR_NO_ERROR {
            append.report(slot.index, RecordPlace(partition: message.partition, offset: message.offset))
        } else {
            append.client.failed(message.err)
            append.report(1, failed: append.client.error(message.err, append.topic))
        }
    }

    private func report(_ index: Int, _ place: RecordPlace) {
        finish { state in
            state.places[index] = place
            state.missing -= 1
        }
    }

    /// These many records were not appended, as far as is known.
    func report(_ count: Int, failed error: ModuleError) {
        finish { state in
            // The first error is the cause; those behind it may only follow from it.
            if state.failure == nil { state.failure = error }
            state.missing -= count
        }
    }

    private func finish(_ change: (inout State) -> Void) {
        let result = state.withLock { state -> Result<[RecordPlace], ModuleError>? in
            change(&state)
            guard state.missing == 0 else { return nil }
            return state.failure.map { .failure($0) } ?? .success(state.places)
        }
        guard let result else { return }
        completion(result)
        Unmanaged.passUnretained(self).release()
    }
}
