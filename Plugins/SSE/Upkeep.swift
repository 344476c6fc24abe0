/// What a shard keeps for its heartbeat: connections take turns, so that no sweep writes to all of them at once.
struct Upkeep {
    static let turns = 16

    private var nextTurn = 0
    /// The turn under way.
    private(set) var turn = 0
    /// The shard's version at each turn's last time.
    private var versions = [Int](repeating: 0, count: Upkeep.turns)

    /// The turn of the next connection.
    mutating func takeTurn() -> Int {
        nextTurn = (nextTurn + 1) % Self.turns
        return nextTurn
    }

    /// Begins the next turn. Returns whether the shard's positions have moved since it was last.
    mutating func startTurn(at version: Int) -> Bool {
        turn = (turn + 1) % Self.turns
        defer { versions[turn] = version }
        return versions[turn] != version
    }
}
