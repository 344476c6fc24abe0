import Martlet

/// One stream of one client. Touched only on its shard's loop.
///
/// Memory: this object, no task and no timer; positions of its own only while it is not live.
final class Connection {
    let peer: StreamPeer
    var state: ConnectionState
    /// Nil once it has ended.
    var stream: (any HTTPStream)?
    /// Why the host ended it; nil if the client did.
    var reason: StreamMetrics.Disconnect?

    /// Where it stands among the connections of its first key, of its further ones, and among all of the shard.
    var indexInKey = 0
    var furtherIndices: [Int] = []
    var indexInShard = 0
    /// Which of the heartbeat's turns is its.
    let turn: Int
    var wasWrittenSinceTurn = false
    /// Its turns without an event.
    var idleTurns = 0
    /// What waits behind a stream that is full; nil for a client that keeps up.
    var backlog: Backlog?

    /// A piece of the log is being read for it.
    var isReading = false
    /// It waits for the socket before it reads on.
    var isPaused = false
    var readFailures = 0

    init(_ peer: StreamPeer, state: ConnectionState, turn: Int) {
        self.peer = peer
        self.state = state
        self.turn = turn
    }
}
