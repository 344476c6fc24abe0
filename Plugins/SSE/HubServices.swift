import Martlet
import Synchronization

/// What a hub's shards use of the host: its loops, the log, the limits.
final class HubServices: ShardServices {
    let loops: any EventLoops
    private let limits: ConnectionLimits
    private let pool: ReplayPool?
    private let layout: StreamLayout?
    /// Live items on their way to each shard.
    let inboxes: [ShardInbox]
    let room = RoomSignal()
    /// Nil if every message concerns every shard.
    let presence: KeyPresence?
    private let isClosed = Atomic<Bool>(false)

    init(
        loops: any EventLoops, limits: ConnectionLimits, replay: (any MessageReplay)?, layout: StreamLayout?, isBroadcast: Bool
    ) {
        self.loops = loops
        self.limits = limits
        self.layout = layout
        inboxes = (0..<loops.count).map { _ in ShardInbox() }
        presence = isBroadcast || loops.count == 1 || loops.count > KeyPresence.shardsMax ? nil : KeyPresence()
        pool = replay.map { ReplayPool($0) }
    }

    func read(_ read: ConnectionRead, for connection: Connection, of shard: Shard) {
        guard let pool, let layout else { return }
        let handle = ConnectionHandle(connection)
        pool.submit(read, layout.topics[read.slot.topic]) { [loops] result in
            loops.execute(on: shard.index) { shard.received(read, for: handle.connection, result) }
        }
    }

    func schedule(_ shard: Shard, after delay: Duration, _ work: @escaping @Sendable (Shard) -> Void) {
        let guarded: @Sendable () -> Void = { [weak self] in
            guard let self, !isClosed.load(ordering: .relaxed) else { return }
            work(shard)
        }
        if delay == .zero {
            loops.execute(on: shard.index, guarded)
        } else {
            loops.schedule(on: shard.index, after: delay, guarded)
        }
    }

    func released(_ connection: Connection) {
        limits.release(connection.peer)
    }

    func attend(to key: Bytes, _ shard: Shard) {
        presence?.add(key, shard: shard.index)
    }

    func forget(_ key: Bytes, _ shard: Shard) {
        presence?.remove(key, shard: shard.index)
    }

    func takeWaiting(for shard: Shard) {
        for batch in inboxes[shard.index].take() { shard.apply(batch) }
        room.signal()
    }

    /// What is scheduled does not run any more, and nothing more is read.
    func close() {
        isClosed.store(true, ordering: .relaxed)
        pool?.close()
    }
}
