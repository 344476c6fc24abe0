import Glibc
import Martlet
import Synchronization

/// The thread on which the connections of one bus live. Whatever is asked of it goes through its inbox.
final class RedisLoop: Sendable {
    enum Command: Sendable {
        case open(CheckedContinuation<Void, any Error>)
        case publish(PublishBatch)
        case add(RedisReceiver)
        case remove(RedisReceiver)
        case stop
    }

    private struct State {
        var inbox: [Command] = []
        var isStopped = false
        /// Why nothing can be published now.
        var failure: ModuleError?
        /// Why subscriptions get nothing now.
        var subscriberFailure: ModuleError?
    }

    private let threads = BlockingThreads(limit: 1) { _ in }
    private let wake: WakePipe
    private let state = Mutex(State())
    private let settings: RedisSettings
    private let metrics: RedisMetrics
    private let logger: Logger

    init(settings: RedisSettings, metrics: RedisMetrics, logger: Logger) throws(ModuleError) {
        self.settings = settings
        self.metrics = metrics
        self.logger = logger
        wake = try WakePipe()
    }

    /// Starts the thread and connects. Throws why the server could not be reached, or has refused.
    func open() async throws {
        try threads.start(count: 1)
        guard threads.submit({ [self] _ in run() }) else { throw RedisFailure.closed }
        try await withCheckedThrowingContinuation { submit(.open($0)) }
    }

    /// Ends the thread; all that waits fails.
    func stop() async {
        submit(.stop)
        await threads.stop()
    }

    /// Why nothing can be published at the moment.
    var failure: ModuleError? { state.withLock { $0.failure } }

    /// Why one of the connections does not do its work at the moment.
    var trouble: ModuleError? { state.withLock { $0.failure ?? $0.subscriberFailure } }

    func submit(_ command: Command) {
        let isTaken = state.withLock { state in
            if !state.isStopped { state.inbox.append(command) }
            return !state.isStopped
        }
        if isTaken { wake.signal() } else { refuse(command) }
    }

    private func refuse(_ command: Command) {
        switch command {
        case .open(let completion): completion.resume(throwing: RedisFailure.closed)
        case .publish(let batch): batch.completion.resume(throwing: RedisFailure.closed)
        case .add(let receiver): receiver.fail(RedisFailure.closed)
        case .remove, .stop: break
        }
    }

    private func takeInbox() -> [Command] {
        state.withLock { state in
            defer { state.inbox = [] }
            return state.inbox
        }
    }

    // MARK: On the thread

    private func run() {
        Self.blockBrokenPipeSignal()
        let publisher = RedisPublisher(
            link: link("publisher", readsPerTurn: 16, metrics.publisherConnected), endpoint: settings.endpoint, published: metrics.published
        ) { [self] failure in state.withLock { $0.failure = failure } }
        // The server cuts off whoever does not read: more is read in a turn (4 MiB at most) than is published (256 KiB).
        let subscriber = RedisSubscriber(
            link: link("subscriber", readsPerTurn: 256, metrics.subscriberConnected), settings: settings, metrics: metrics, logger: logger
        ) { [self] failure in state.withLock { $0.subscriberFailure = failure } }
        while serve(publisher, subscriber) {
            turn(publisher, subscriber)
        }
        publisher.close()
        subscriber.close()
        let rest = state.withLock { state in
            state.isStopped = true
            defer { state.inbox = [] }
            return state.inbox
        }
        for command in rest { refuse(command) }
    }

    /// hiredis writes with write(2), which raises SIGPIPE in this thread when the server has gone.
    private static func blockBrokenPipeSignal() {
        var signals = sigset_t()
        sigemptyset(&signals)
        sigaddset(&signals, SIGPIPE)
        pthread_sigmask(SIG_BLOCK, &signals, nil)
    }

    private func link(_ role: String, readsPerTurn: Int, _ connected: Gauge) -> RedisLink {
        RedisLink(
            role, readsPerTurn: readsPerTurn, settings: settings, logger: logger, connected: connected,
            reconnections: metrics.reconnections)
    }

    /// Does what the inbox asks for. False if it asks to stop.
    private func serve(_ publisher: RedisPublisher, _ subscriber: RedisSubscriber) -> Bool {
        let now = RedisTime.now()
        var goesOn = true
        for command in takeInbox() {
            switch command {
            case .open(let completion): publisher.open(completion, now)
            case .publish(let batch): publisher.publish(batch)
            case .add(let receiver): subscriber.add(receiver, now)
            case .remove(let receiver): subscriber.remove(receiver, now)
            case .stop: goesOn = false
            }
        }
        if publisher.hasMore { publisher.feed(now) }
        return goesOn
    }

    /// Waits for something to happen, and lets the connections see to it.
    private func turn(_ publisher: RedisPublisher, _ subscriber: RedisSubscriber) {
        let links = [subscriber.link, publisher.link]
        var entries = [pollfd(fd: wake.reading, events: Int16(POLLIN), revents: 0)]
        var polled: [RedisLink] = []
        for link in links {
            guard let entry = link.pollEntry else { continue }
            entries.append(entry)
            polled.append(link)
        }
        let deadline = [publisher.link.deadline, subscriber.link.deadline, subscriber.retryAt].compactMap { $0 }.min()
        _ = poll(&entries, nfds_t(entries.count), Self.timeout(until: deadline))
        wake.clear()
        let now = RedisTime.now()
        for (entry, link) in zip(entries.dropFirst(), polled) where entry.revents != 0 { link.handle(entry.revents, now) }
        for link in links { link.tick(now) }
        subscriber.tick(now)
    }

    /// Milliseconds for poll(2), rounded up so that it does not return just before the time.
    private static func timeout(until deadline: UInt64?) -> CInt {
        guard let deadline else { return -1 }
        let now = RedisTime.now()
        guard deadline > now else { return 0 }
        return CInt(clamping: (deadline - now + 999_999) / 1_000_000)
    }
}
