import Martlet
import Synchronization

/// The bus's door for Redis clients: what the rest of the process sees of the listener's thread.
final class BusListener: Sendable {
    /// A publisher in this process, who waits until its messages are queued for the clients.
    struct Publication: Sendable {
        let channel: Bytes
        let messages: [Message]
        let completion: CheckedContinuation<Void, Never>
    }

    private enum Phase {
        case closed
        case open(BlockingThreads, BusInbox, address: String)
    }

    private let settings: BusListenerSettings
    private let local: LocalChannels
    private let limit: SubscriptionLimit
    private let metrics: BusMetrics
    private let logger: Logger
    private let phase = Mutex(Phase.closed)

    init(_ settings: BusListenerSettings, local: LocalChannels, limit: SubscriptionLimit, metrics: BusMetrics, logger: Logger) {
        self.settings = settings
        self.local = local
        self.limit = limit
        self.metrics = metrics
        self.logger = logger
    }

    /// Listens and starts the thread.
    ///
    /// - Throws: transient if the address is in use, blocked if it cannot be.
    func open() throws(ModuleError) {
        let socket = try ListeningSocket(settings.address)
        let inbox = try BusInbox()
        let threads = BlockingThreads(limit: 1) { _ in }
        try threads.start(count: 1)
        let isStarted = threads.submit { [self] _ in
            BusServer(settings, socket, inbox: inbox, local: local, limit: limit, metrics: metrics, logger: logger).run()
        }
        precondition(isStarted, "a fresh thread takes a job")
        phase.withLock { $0 = .open(threads, inbox, address: socket.address.description) }
        logger.info("Redis clients can connect", ("listen", socket.address.description))
    }

    /// Where it listens, with the port in use; nil while it does not.
    var address: String? {
        phase.withLock { phase in if case .open(_, _, let address) = phase { address } else { nil } }
    }

    private var inbox: BusInbox? {
        phase.withLock { phase in if case .open(_, let inbox, _) = phase { inbox } else { nil } }
    }

    /// Whether any client has a subscription.
    var hasSubscribers: Bool { inbox?.hasSubscribers ?? false }

    /// Returns when the messages are queued for the clients that subscribe to the channel.
    func publish(_ messages: [Message], to channel: Bytes) async {
        guard let inbox else { return }
        await withCheckedContinuation { completion in
            inbox.submit(Publication(channel: channel, messages: messages, completion: completion))
        }
    }

    /// Ends the connections and the thread.
    func close() async {
        let open = phase.withLock { phase -> (BlockingThreads, BusInbox)? in
            guard case .open(let threads, let inbox, _) = phase else { return nil }
            phase = .closed
            return (threads, inbox)
        }
        guard let (threads, inbox) = open else { return }
        inbox.stop()
        await threads.stop()
    }
}
