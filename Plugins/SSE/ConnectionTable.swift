import Martlet

/// A shard's connections, by key and all together. Adding and removing take constant time.
struct ConnectionTable {
    /// The connections of one key.
    private final class Entry {
        var connections: [Connection] = []
    }

    private var entries: [Bytes: Entry] = [:]
    private(set) var all: [Connection] = []

    /// The connections that a key's messages go to.
    func matching(_ key: Bytes) -> [Connection] {
        entries[key]?.connections ?? []
    }

    mutating func add(_ connection: Connection) {
        let entry = entries[connection.key] ?? Entry()
        entries[connection.key] = entry
        connection.indexInKey = entry.connections.count
        entry.connections.append(connection)
        connection.indexInShard = all.count
        all.append(connection)
    }

    /// The last one takes the place of the one removed.
    mutating func remove(_ connection: Connection) {
        guard let entry = entries[connection.key] else { return }
        entry.connections.swapAt(connection.indexInKey, entry.connections.count - 1)
        entry.connections[connection.indexInKey].indexInKey = connection.indexInKey
        entry.connections.removeLast()
        if entry.connections.isEmpty { entries[connection.key] = nil }
        all.swapAt(connection.indexInShard, all.count - 1)
        all[connection.indexInShard].indexInShard = connection.indexInShard
        all.removeLast()
    }
}
