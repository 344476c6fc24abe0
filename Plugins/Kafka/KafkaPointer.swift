/// An object of librdkafka that many threads may use.
struct KafkaPointer: @unchecked Sendable {
    // Unchecked: librdkafka locks clients, topics and queues itself. Whoever holds the pointer sees to it that they live.
    let raw: OpaquePointer
}
