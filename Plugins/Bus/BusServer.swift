import Glibc
import Martlet

/// Serves the clients: one thread, one poll(2) loop.
///
/// Invariants: a connection's bytes are read, answered and queued in their order; what one turn queues for a client leaves
/// together at its end; nothing waits for a client.
final class BusServer {
    /// How long a client may take to log in, or to read the last that it is told.
    static let patienceSeconds = 10
    private static let readBytes = 64 * 1024
    /// Reads of one connection before the others get their turn.
    private static let readsPerTurn = 4
    private static let acceptsPerTurn = 64

    private let settings: BusListenerSettings
    private let socket: ListeningSocket
    private let inbox: BusInbox
    private let metrics: BusMetrics
    private let logger: Logger
    private let hub: BusHub
    private var connections: [BusConnection] = []
    private var nextNumber = 1
    /// After the process ran out of descriptors, on the monotonic clock in seconds.
    private var acceptsAgainAt: Int?
    private let scratch = UnsafeMutableRawBufferPointer.allocate(byteCount: BusServer.readBytes, alignment: 16)

    init(
        _ settings: BusListenerSettings, _ socket: ListeningSocket, inbox: BusInbox, local: LocalChannels,
        limit: SubscriptionLimit, metrics: BusMetrics, logger: Logger
    ) {
        self.settings = settings
        self.socket = socket
        self.inbox = inbox
        self.metrics = metrics
        self.logger = logger
        hub = BusHub(local: local, limit: limit, inbox: inbox)
    }

    deinit {
        scratch.deallocate()
    }

    /// Returns when the inbox asks to stop.
    func run() {
        while let publications = inbox.take() {
            for publication in publications { hub.publish(publication.messages, to: publication.channel) }
            flush()
            for publication in publications { publication.completion.resume() }
            turn()
        }
        for connection in connections { hub.remove(connection) }
        connections = []
        metrics.connections.set(0)
        inbox.finish()
    }

    private func turn() {
        dropThoseThatEnd()
        var entries = [
            pollfd(fd: inbox.wake.reading, events: Int16(POLLIN), revents: 0),
            pollfd(fd: acceptsAgainAt == nil ? socket.descriptor : -1, events: Int16(POLLIN), revents: 0),
        ]
        entries += connections.map(\.pollEntry)
        let hasDeadlines = acceptsAgainAt != nil || connections.contains { $0.hasDeadline }
        _ = poll(&entries, nfds_t(entries.count), hasDeadlines ? 1_000 : -1)
        inbox.wake.clear()
        let now = Self.seconds()
        for (entry, connection) in zip(entries.dropFirst(2), connections) where entry.revents != 0 {
            serve(connection, entry.revents)
        }
        if entries[1].revents != 0 { accept(now) }
        if let again = acceptsAgainAt, again <= now { acceptsAgainAt = nil }
        if hasDeadlines { for connection in connections { connection.checkDeadline(now) } }
        flush()
    }

    private func serve(_ connection: BusConnection, _ events: Int16) {
        if CInt(events) & CInt(POLLIN) != 0 {
            for _ in 0..<Self.readsPerTurn where connection.end == nil {
                guard connection.read(into: scratch, hub) else { break }
            }
        } else if CInt(events) & (CInt(POLLHUP) | CInt(POLLERR)) != 0 {
            connection.finish(.isGone)
        }
        hub.deliverLocally()
        if CInt(events) & CInt(POLLOUT) != 0 { connection.flush() }
    }

    private func flush() {
        for connection in connections where connection.isDirty { connection.flush() }
    }

    // MARK: Coming and going

    private func accept(_ now: Int) {
        for _ in 0..<Self.acceptsPerTurn {
            let descriptor = Glibc.accept(socket.descriptor, nil, nil)
            guard descriptor >= 0 else {
                if [EMFILE, ENFILE, ENOBUFS, ENOMEM].contains(errno) {
                    logger.error("the bus cannot accept connections: \(String(cString: strerror(errno)))")
                    acceptsAgainAt = now + 1
                }
                return
            }
            SocketOptions.prepareClient(descriptor)
            guard connections.count < settings.maxConnections else {
                refuse(descriptor)
                continue
            }
            let connection = BusConnection(descriptor, number: nextNumber, settings, now: now)
            nextNumber += 1
            connections.append(connection)
            hub.add(connection)
            metrics.connections.set(connections.count)
        }
    }

    private func refuse(_ descriptor: CInt) {
        metrics.refused.add()
        let answer = Array("-ERR max number of clients reached\r\n".utf8)
        _ = send(descriptor, answer, answer.count, CInt(MSG_DONTWAIT) | CInt(MSG_NOSIGNAL))
        close(descriptor)
    }

    private func dropThoseThatEnd() {
        guard connections.contains(where: \.isOver) else { return }
        for connection in connections where connection.isOver {
            hub.remove(connection)
            guard connection.end == .isSlow else { continue }
            metrics.slow.add()
            logger.warning(
                "client cut off: it left more than max_queued_bytes (\(settings.maxQueuedBytes)) unread",
                ("client", "\(connection.number) \(connection.session.clientName.string)"), ("code", "bus.slow_client"))
        }
        connections.removeAll(where: \.isOver)
        metrics.connections.set(connections.count)
    }

    private static func seconds() -> Int {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC_COARSE, &time)
        return time.tv_sec
    }
}
