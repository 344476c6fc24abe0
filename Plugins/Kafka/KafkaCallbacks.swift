import CRdKafka
import Martlet
import Synchronization

/// What one client tells: the object behind its `opaque`, which outlives it.
final class KafkaCallbacks: Sendable {
    /// Told on the thread that polls the member's client.
    typealias Rebalance = @Sendable (_ code: rd_kafka_resp_err_t, _ partitions: [TopicName: [PartitionID]]) -> Void

    private struct WeakHandle {
        weak var handle: KafkaHandle?
    }

    private let servers: String
    private let health: ServerHealth
    private let threads: KafkaThreads
    private let logger: Logger
    private let rebalance: Rebalance?
    private let mustLook: KafkaSignal?
    private let handle = Mutex(WeakHandle())
    private let isQueued = Atomic<Bool>(false)
    private let hasDied = Atomic<Bool>(false)

    /// - Parameter mustLook: signalled when the client is without any broker: it may only have been idle. Nil for a client that
    ///   always has a connection to some broker, so that it being without one is an outage.
    init(
        servers: String, health: ServerHealth, threads: KafkaThreads, logger: Logger, mustLook: KafkaSignal? = nil,
        rebalance: Rebalance? = nil
    ) {
        self.servers = servers
        self.health = health
        self.threads = threads
        self.logger = logger
        self.rebalance = rebalance
        self.mustLook = mustLook
    }

    var isMember: Bool { rebalance != nil }
    /// A producer that has met an error after which it takes nothing more.
    var isDead: Bool { hasDied.load(ordering: .acquiring) }

    /// Whether the log closes.
    var isClosing: Bool { threads.isClosing }

    func attach(_ handle: KafkaHandle) {
        threads.clientBegan()
        self.handle.withLock { $0.handle = handle }
    }

    /// The client is destroyed.
    func hasEnded() { threads.clientHasEnded() }

    func error(_ code: rd_kafka_resp_err_t, cannot action: String, _ detail: String? = nil) -> ModuleError {
        KafkaFailure.error(code, cannot: action, at: servers, detail)
    }

    /// Has the events thread look at the client; called with the queue's lock held.
    func wake() {
        guard !isQueued.exchange(true, ordering: .acquiringAndReleasing) else { return }
        threads.serve { [self] in
            isQueued.store(false, ordering: .releasing)
            handle.withLock { $0.handle }?.serve()
        }
    }

    fileprivate func failed(_ code: rd_kafka_resp_err_t, _ reason: String) {
        switch (code, mustLook) {
        case (RD_KAFKA_RESP_ERR__FATAL, _):
            hasDied.store(true, ordering: .releasing)
        case (RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN, let mustLook?):
            mustLook.signal()
        case (RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN, nil), (RD_KAFKA_RESP_ERR__AUTHENTICATION, _), (RD_KAFKA_RESP_ERR__SSL, _):
            health.failed(error(code, cannot: "reach the brokers", reason))
        default:
            // One broker's connection: librdkafka makes it again.
            logger.debug("librdkafka: \(reason)", ("code", String(cString: rd_kafka_err2name(code))))
        }
    }

    fileprivate func logged(_ facility: String, _ text: String) {
        logger.debug("librdkafka: \(text)", ("facility", facility))
    }

    fileprivate func rebalanced(_ code: rd_kafka_resp_err_t, _ partitions: [TopicName: [PartitionID]]) {
        rebalance?(code, partitions)
    }

    fileprivate static func of(_ opaque: UnsafeMutableRawPointer?) -> KafkaCallbacks? {
        opaque.map { Unmanaged<KafkaCallbacks>.fromOpaque($0).takeUnretainedValue() }
    }
}

// What librdkafka calls, on its threads or on one that polls: file-scope functions, which belong to no actor.

nonisolated func kafkaHasNews(_ client: OpaquePointer?, _ opaque: UnsafeMutableRawPointer?) {
    KafkaCallbacks.of(opaque)?.wake()
}

nonisolated func kafkaFailed(_ client: OpaquePointer?, _ code: Int32, _ reason: UnsafePointer<CChar>?, _ opaque: UnsafeMutableRawPointer?) {
    KafkaCallbacks.of(opaque)?.failed(rd_kafka_resp_err_t(rawValue: code), reason.map { String(cString: $0) } ?? "")
}

nonisolated func kafkaLogged(_ client: OpaquePointer?, _ level: Int32, _ facility: UnsafePointer<CChar>?, _ text: UnsafePointer<CChar>?) {
    guard let client, let facility, let text else { return }
    KafkaCallbacks.of(rd_kafka_opaque(client))?.logged(String(cString: facility), String(cString: text))
}

nonisolated func kafkaDelivered(
    _ client: OpaquePointer?, _ message: UnsafePointer<rd_kafka_message_t>?, _ opaque: UnsafeMutableRawPointer?
) {
    guard let message else { return }
    KafkaAppend.delivered(message.pointee)
}

nonisolated func kafkaRebalanced(
    _ client: OpaquePointer?, _ code: rd_kafka_resp_err_t, _ partitions: UnsafeMutablePointer<rd_kafka_topic_partition_list_t>?,
    _ opaque: UnsafeMutableRawPointer?
) {
    KafkaCallbacks.of(opaque)?.rebalanced(code, KafkaPartitionList.partitions(partitions))
}
