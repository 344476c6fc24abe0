import Martlet

/// What a shard asks of the world around it; the answers come back on its loop.
protocol ShardServices: Sendable {
    /// Reads a piece of the log for a connection, and then calls ``Shard/received(_:for:_:)`` on the shard's loop.
    func read(_ read: ConnectionRead, for connection: Connection, of shard: Shard)

    /// Runs `work` on the shard's loop after a delay; after none, in its next turn.
    func schedule(_ shard: Shard, after delay: Duration, _ work: @escaping @Sendable (Shard) -> Void)

    /// The connection has ended.
    func released(_ connection: Connection)

    /// From now on messages of this key concern the shard.
    func attend(to key: Bytes, _ shard: Shard)

    /// No connection of the shard has this key any more.
    func forget(_ key: Bytes, _ shard: Shard)

    /// Hands the shard what waits for it, by ``Shard/apply(_:)``.
    func takeWaiting(for shard: Shard)
}

/// A piece of the log that a connection needs.
struct ConnectionRead: Sendable {
    let slot: StreamSlot
    let from: Offset
    let to: Offset
    /// Nil for all messages.
    let keys: [Bytes]?
}
