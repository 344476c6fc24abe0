/// Whatever waits for a deadline of its event loop.
protocol DeadlineOwner: AnyObject {
    /// The deadline passed. It is cleared; the owner may set another.
    func deadlineReached()
}

/// The deadlines of one event loop: a flat array that is swept when the earliest has passed.
///
/// Setting one is a store, which happens with every request; a sweep of 20,000 takes some 10 µs and happens at most once per
/// `EventLoop.deadlineGranularityMs`. `earliestMs` is a lower bound: a deadline that moved later leaves it early, and the
/// sweep corrects it.
struct DeadlineTable {
    private var deadlines: [UInt64] = []
    private var owners: [(any DeadlineOwner)?] = []
    private var free: [Int] = []
    private(set) var earliestMs = UInt64.max

    mutating func add(_ owner: any DeadlineOwner) -> Int {
        if let slot = free.popLast() {
            owners[slot] = owner
            return slot
        }
        deadlines.append(.max)
        owners.append(owner)
        return owners.count - 1
    }

    mutating func remove(_ slot: Int) {
        deadlines[slot] = .max
        owners[slot] = nil
        free.append(slot)
    }

    mutating func set(_ slot: Int, atMs ms: UInt64) {
        deadlines[slot] = ms
        if ms < earliestMs { earliestMs = ms }
    }

    /// The owners whose deadline is at or before `nowMs`, the earliest first, their deadlines cleared.
    mutating func takeExpired(nowMs: UInt64) -> [any DeadlineOwner] {
        guard earliestMs <= nowMs else { return [] }
        var expired: [(ms: UInt64, owner: any DeadlineOwner)] = []
        var earliest = UInt64.max
        for slot in deadlines.indices {
            let ms = deadlines[slot]
            if ms <= nowMs {
                deadlines[slot] = .max
                if let owner = owners[slot] { expired.append((ms, owner)) }
            } else if ms < earliest {
                earliest = ms
            }
        }
        earliestMs = earliest
        return expired.sorted { $0.ms < $1.ms }.map(\.owner)
    }
}
