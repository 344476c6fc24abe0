import Martlet

/// The connections of one event loop. Everything here runs on that loop.
final class Shard: @unchecked Sendable {
    // Unchecked: made before the loop knows it, and from then on touched only on the loop.

    /// How often a connection that waits for its socket is looked at.
    static let pauseCheck = Duration.milliseconds(50)

    let index: Int
    let renderer: EventRenderer
    let settings: StreamSettings
    let metrics: StreamMetrics
    let services: any ShardServices
    let logger: Logger
    /// Nil without a replay: then there are no positions and nothing to resume from.
    let layout: StreamLayout?
    /// Everything before them has been handed to the live connections.
    private(set) var positions: StreamPositions
    /// Grows when the positions move.
    private(set) var version = 0

    private(set) var table = ConnectionTable()
    var upkeep = Upkeep()
    var tally = Tally()
    /// Connections that wait for their socket.
    private var paused: [Connection] = []
    private var isPauseCheckDue = false
    /// Connections whose credentials end some time.
    private(set) var expiringCount = 0
    var isExpiryWatched = false
    /// Connections that have a ``Backlog``.
    var backlogged: [Connection] = []
    var isBacklogDue = false

    init(
        index: Int, layout: StreamLayout?, positions: StreamPositions, renderer: EventRenderer,
        settings: StreamSettings, metrics: StreamMetrics, services: any ShardServices, logger: Logger
    ) {
        self.index = index
        self.layout = layout
        self.positions = positions
        self.renderer = renderer
        self.settings = settings
        self.metrics = metrics
        self.services = services
        self.logger = logger
    }

    // MARK: The live stream

    /// Takes the next steps of the live stream.
    func apply(_ items: [LiveItem]) {
        version += 1
        for item in items {
            switch item {
            case .message(let message): deliver(message)
            case .foreign(let message, let key): deliverForeign(message, key)
            case .advance(let slot, let place): positions[slot] = max(positions[slot], place)
            case .gap(let slot, let place): deliverGap(slot, place)
            case .loss: deliverLoss()
            }
        }
        count()
    }

    private func deliver(_ message: LiveMessage) {
        positions[message.slot] = message.after
        let receivers = table.matching(message.key)
        if receivers.isEmpty { return }
        var shared: EventRenderer.Rendered?
        for connection in receivers where connection.stream != nil {
            switch connection.state.receive(message, live: positions) {
            case .none:
                break
            case .write:
                if shared == nil { shared = render(message.message, positions) }
                guard let shared else { return }
                send(shared, to: connection)
            case .writeAs(let own):
                if let rendered = render(message.message, own) { send(rendered, to: connection) }
            }
        }
    }

    private func deliverForeign(_ message: Message, _ key: Bytes) {
        let receivers = table.matching(key)
        guard !receivers.isEmpty, let rendered = render(message, nil) else { return }
        for connection in receivers where connection.stream != nil { send(rendered, to: connection) }
    }

    private func deliverGap(_ slot: StreamSlot, _ place: StreamPlace) {
        positions[slot] = max(positions[slot], place)
        let shared = gap(.retention, positions)
        for connection in table.all where connection.stream != nil {
            switch connection.state.receiveGap(slot, place) {
            case .none: break
            case .write: send(.gap(shared, .retention), to: connection)
            case .writeAs(let own): send(.gap(gap(.retention, own), .retention), to: connection)
            }
        }
    }

    private func deliverLoss() {
        let chunk = gap(.lost, nil)
        for connection in table.all where connection.stream != nil { send(.gap(chunk, .lost), to: connection) }
    }

    // MARK: Connections

    /// To be called before it is found out where a connection begins: what came before is taken, and messages of its keys
    /// wake the shard from now on.
    func prepare(for peer: StreamPeer) {
        for key in peer.keys { services.attend(to: key, self) }
        services.takeWaiting(for: self)
    }

    /// Opens a stream, for which the shard was prepared. From here on no live message passes it by, and what it missed before is read from the log.
    func open(_ exchange: any HTTPExchange, _ peer: StreamPeer, _ beginning: StreamBeginning) {
        let connection = Connection(peer, state: beginning.state, turn: upkeep.takeTurn())
        let handle = ConnectionHandle(connection)
        connection.stream = exchange.startStream(
            status: 200, headers: StreamRequest.headers, queueLimit: settings.streamBytes
        ) { [weak self] in
            self?.ended(handle.connection)
        }
        table.add(connection)
        metrics.connections.add(1)
        if peer.expiresAt < .max {
            expiringCount += 1
            watchExpiry()
        }
        let own = connection.state.ownPositions ?? positions
        write(EventRenderer.opening(retryMilliseconds: settings.retryMilliseconds, appendID: id(own)), to: connection)
        if beginning.hasGap { send(.gap(gap(.unknownID, own), .unknownID), to: connection) }
        if connection.state.isCatchingUp {
            metrics.replays.add()
            catchUp(connection)
        }
        count()
    }

    /// The stream has ended, whoever ended it.
    func ended(_ connection: Connection) {
        guard connection.stream != nil else { return }
        connection.stream = nil
        connection.backlog = nil
        table.remove(connection)
        for key in connection.peer.keys where table.matching(key).isEmpty { services.forget(key, self) }
        if connection.peer.expiresAt < .max { expiringCount -= 1 }
        metrics.connections.add(-1)
        metrics.disconnected(connection.reason ?? .client)
        services.released(connection)
    }

    func disconnect(_ connection: Connection, _ reason: StreamMetrics.Disconnect) {
        connection.reason = reason
        let stream = connection.stream
        if reason == .slow { stream?.abort() } else { stream?.close() }
        ended(connection)
    }

    // MARK: Catching up

    /// Takes the next step of a connection that is behind.
    private func catchUp(_ connection: Connection) {
        guard let stream = connection.stream, !connection.isReading, !connection.isPaused else { return }
        if stream.queuedBytes > settings.bufferBytes / 2 { return pause(connection) }
        switch connection.state.nextStep(live: positions) {
        case .none:
            break
        case .read(let slot, let from, let to):
            connection.isReading = true
            let keys = settings.isBroadcast ? nil : connection.peer.keys
            services.read(ConnectionRead(slot: slot, from: from, to: to, keys: keys), for: connection, of: self)
        case .finish:
            for (message, own) in connection.state.finish(live: positions) {
                if let rendered = render(message.message, own) { send(rendered, to: connection) }
            }
            count()
        }
    }

    /// The piece of the log that ``ShardServices/read(_:for:of:)`` was asked for, or the failure to read it.
    func received(_ read: ConnectionRead, for connection: Connection, _ result: Result<ReplayPage, ModuleError>) {
        connection.isReading = false
        guard connection.stream != nil else { return }
        switch result {
        // A page that leads nowhere is a log that is behind: it gets time, as one that cannot be read.
        case .success(let page) where page.next > read.from || page.gapUntil != nil:
            connection.readFailures = 0
            let isWritten = write(page, read, to: connection)
            count()
            if isWritten { catchUp(connection) } else if connection.stream != nil { pause(connection) }
        case .success, .failure:
            connection.readFailures = min(connection.readFailures + 1, 6)
            let wait = Duration.milliseconds(500 << connection.readFailures)
            connection.isPaused = true
            let handle = ConnectionHandle(connection)
            services.schedule(self, after: wait) { shard in shard.resume(handle.connection) }
        }
    }

    /// Writes what the socket has room for; the rest is read again later. False if some is left.
    private func write(_ page: ReplayPage, _ read: ConnectionRead, to connection: Connection) -> Bool {
        if let kept = page.gapUntil, let own = connection.state.replayedGap(read.slot, until: kept) {
            send(.gap(gap(.retention, own), .retention), to: connection)
        }
        for message in page.messages {
            if let keys = read.keys, !keys.contains(where: { $0 == message.record.event.key }) { continue }
            guard hasRoom(connection, for: message) else { return false }
            guard let own = connection.state.replayed(message, read.slot) else { continue }
            if let rendered = render(message, own) { send(rendered, to: connection) }
        }
        connection.state.replayed(read.slot, through: page.next)
        return true
    }

    private func hasRoom(_ connection: Connection, for message: Message) -> Bool {
        guard let stream = connection.stream else { return false }
        let waiting = stream.queuedBytes
        return waiting == 0 || waiting + message.record.event.payload.count < settings.bufferBytes / 2
    }

    // MARK: Waiting for the socket

    private func pause(_ connection: Connection) {
        connection.isPaused = true
        paused.append(connection)
        // What was written leaves at the end of this turn; mostly the socket takes it, and the next turn goes on.
        schedulePauseCheck(after: .zero)
    }

    private func schedulePauseCheck(after wait: Duration) {
        guard !isPauseCheckDue, !paused.isEmpty else { return }
        isPauseCheckDue = true
        services.schedule(self, after: wait) { $0.checkPaused() }
    }

    private func checkPaused() {
        isPauseCheckDue = false
        let waiting = paused
        paused = []
        for connection in waiting {
            guard let stream = connection.stream else { continue }
            if stream.queuedBytes > settings.bufferBytes / 4 { paused.append(connection) } else { resume(connection) }
        }
        schedulePauseCheck(after: Self.pauseCheck)
    }

    private func resume(_ connection: Connection) {
        connection.isPaused = false
        catchUp(connection)
    }
}
