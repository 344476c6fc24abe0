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
        let keys = connection.peer.keys
        connection.furtherIndices = Array(repeating: 0, count: max(0, keys.count - 1))
        for (number, key) in keys.enumerated() {
            let entry = entries[key] ?? Entry()
            entries[key] = entry
            connection.setIndex(entry.connections.count, ofKey: number)
            entry.connections.append(connection)
        }
        connection.indexInShard = all.count
        all.append(connection)
    }

    /// The last one takes the place of the one removed.
    mutating func remove(_ connection: Connection) {
        for (number, key) in connection.peer.keys.enumerated() {
            guard let entry = entries[key] else { continue }
            let index = connection.index(ofKey: number)
            entry.connections.swapAt(index, entry.connections.count - 1)
            let moved = entry.connections[index]
            if let place = moved.peer.keys.firstIndex(of: key) { moved.setIndex(index, ofKey: place) }
            entry.connections.removeLast()
            if entry.connections.isEmpty { entries[key] = nil }
        }
        all.swapAt(connection.indexInShard, all.count - 1)
        all[connection.indexInShard].indexInShard = connection.indexInShard
        all.removeLast()
    }
}

extension Connection {
    /// Where it stands among the connections of one of its keys.
    fileprivate func index(ofKey number: Int) -> Int {
        number == 0 ? indexInKey : furtherIndices[number - 1]
    }

    fileprivate func setIndex(_ index: Int, ofKey number: Int) {
        if number == 0 { indexInKey = index } else { furtherIndices[number - 1] = index }
    }
}
