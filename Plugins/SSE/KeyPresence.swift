import Martlet
import Synchronization

/// Which shards have connections for which keys: a message is handed to those only, and wakes no other loop.
///
/// Invariant: a shard makes itself known for a key before it takes what waits for it, and only then opens the
/// connection. So what was handed out before is behind the shard when the connection begins, and what is handed out
/// after comes as a message.
final class KeyPresence: Sendable {
    /// Shards that can be told apart.
    static let shardsMax = 64

    /// By key, a bit for each shard.
    private let shards = Mutex<[Bytes: UInt64]>([:])

    func add(_ key: Bytes, shard: Int) {
        shards.withLock { $0[key, default: 0] |= 1 << UInt64(shard) }
    }

    func remove(_ key: Bytes, shard: Int) {
        shards.withLock { shards in
            let left = (shards[key] ?? 0) & ~(1 << UInt64(shard))
            shards[key] = left == 0 ? nil : left
        }
    }

    /// Splits a batch, and hands each shard its part before any shard can make itself known for another key.
    func split(_ items: [LiveItem], among count: Int, _ hand: (_ shard: Int, ShardBatch) -> Void) {
        shards.withLock { shards in
            var batches = Array(repeating: ShardBatch(), count: count)
            for item in items {
                switch item {
                case .message(let message):
                    let present = shards[message.key] ?? 0
                    for shard in 0..<count {
                        if present & 1 << UInt64(shard) != 0 {
                            batches[shard].append(item, of: message.slot)
                        } else {
                            batches[shard].pass(message.slot, message.after)
                        }
                    }
                case .foreign(_, let key):
                    let present = shards[key] ?? 0
                    for shard in 0..<count where present & 1 << UInt64(shard) != 0 { batches[shard].append(item) }
                case .advance(let slot, let place):
                    for shard in 0..<count { batches[shard].pass(slot, place) }
                case .gap, .loss:
                    for shard in 0..<count { batches[shard].append(item) }
                }
            }
            for shard in 0..<count {
                batches[shard].finish()
                if !batches[shard].items.isEmpty { hand(shard, batches[shard]) }
            }
        }
    }
}
