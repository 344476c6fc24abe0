import CEvent

/// One server's share on one loop: its listening sockets and its connections.
///
/// `@unchecked Sendable`: confined to the thread of its loop, but for the constants and the counters.
final class Acceptor: @unchecked Sendable {
    let loop: EventLoop
    let settings: HTTPServerSettings
    let deadlines: ConnectionDeadlines
    let handler: @Sendable (HTTPExchange) -> Void
    let counters = LoopCounters()
    private(set) var isDraining = false

    /// Open connections of all loops.
    private let openCount: SharedCount
    private var listeners: [(descriptor: Int32, event: OpaquePointer)] = []
    private var connections: [Connection?] = []
    private var freeSlots: [Int] = []
    private var rejectedOpenCount = 0
    private var whenEmpty: (@Sendable () -> Void)?

    /// Connections beyond the limit that are given time to read their 503; further ones are closed unanswered.
    private static let rejectedOpenCountMax = 256
    /// Connections accepted before others get their turn.
    private static let acceptBatchMax = 64

    init(
        loop: EventLoop, settings: HTTPServerSettings, openCount: SharedCount,
        handler: @escaping @Sendable (HTTPExchange) -> Void
    ) {
        self.loop = loop
        self.settings = settings
        self.openCount = openCount
        self.handler = handler
        deadlines = ConnectionDeadlines(settings)
    }

    // MARK: Listening

    func add(listener descriptor: Int32) {
        guard !isDraining,
            let event = event_new(
                loop.base, descriptor, Int16(EV_READ | EV_PERSIST), acceptorReadable, Unmanaged.passUnretained(self).toOpaque())
        else {
            CEvent.close(descriptor)
            return
        }
        // A server that was let go without `stop` goes on listening: each listener keeps this object.
        _ = Unmanaged.passRetained(self)
        listeners.append((descriptor, event))
        event_add(event, nil)
    }

    fileprivate func accept(from listener: Int32) {
        for _ in 0..<Acceptor.acceptBatchMax {
            let descriptor = cevent_accept(listener)
            guard descriptor >= 0 else {
                let code = cevent_errno()
                if code == ECONNABORTED || code == EINTR { continue }
                if code != EAGAIN && code != EWOULDBLOCK { pauseAccepting() }
                return
            }
            admit(descriptor)
        }
    }

    /// Without descriptors or memory the listeners would be readable for ever: they rest for a moment.
    private func pauseAccepting() {
        counters.acceptFailures.addFromOwner(1)
        for listener in listeners { event_del(listener.event) }
        loop.schedule(after: .milliseconds(100)) { [self] in
            for listener in listeners { event_add(listener.event, nil) }
        }
    }

    private func admit(_ descriptor: Int32) {
        counters.accepted.addFromOwner(1)
        let isAdmitted = openCount.takeOne(max: settings.connectionCountMax)
        guard isAdmitted || rejectedOpenCount < Acceptor.rejectedOpenCountMax else {
            counters.rejected.addFromOwner(1)
            CEvent.close(descriptor)
            return
        }
        let slot = freeSlots.popLast() ?? connections.count
        if slot == connections.count { connections.append(nil) }
        let connection = Connection(descriptor: descriptor, slot: slot, acceptor: self)
        connections[slot] = connection
        connection.open()
        if isAdmitted {
            counters.openConnections.addFromOwner(1)
        } else {
            counters.rejected.addFromOwner(1)
            rejectedOpenCount += 1
            connection.reject(retryAfterSeconds: settings.retryAfterSeconds)
        }
    }

    func remove(_ connection: Connection) {
        connections[connection.slot] = nil
        freeSlots.append(connection.slot)
        if connection.isRejected {
            rejectedOpenCount -= 1
        } else {
            openCount.giveBackOne()
            counters.openConnections.addFromOwner(-1)
        }
        reportIfEmpty()
    }

    // MARK: Stopping

    /// Accepts no more, closes what is idle, and calls `whenEmpty` once no connection is left.
    func beginDraining(whenEmpty: @escaping @Sendable () -> Void) {
        isDraining = true
        self.whenEmpty = whenEmpty
        for listener in listeners {
            event_free(listener.event)
            CEvent.close(listener.descriptor)
            Unmanaged.passUnretained(self).release()
        }
        listeners = []
        for connection in connections { connection?.serverStopping() }
        reportIfEmpty()
    }

    /// Closes what is left, whatever it is doing.
    func closeAll() {
        for connection in connections { connection?.close(.serverStopped) }
    }

    private func reportIfEmpty() {
        guard let whenEmpty, freeSlots.count == connections.count else { return }
        self.whenEmpty = nil
        whenEmpty()
    }
}

private nonisolated func acceptorReadable(_ descriptor: Int32, _ what: Int16, _ context: UnsafeMutableRawPointer?) {
    guard let context else { return }
    Unmanaged<Acceptor>.fromOpaque(context).takeUnretainedValue().accept(from: descriptor)
}
