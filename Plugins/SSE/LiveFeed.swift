import Martlet

/// Turns what the bus brings into one stream without holes and repeats. A state machine without I/O.
///
/// Invariants, for each partition:
/// - Every message before `positions` has been emitted once, in order; none from it on has.
/// - A message that does not follow `positions` starts a *repair*: the partition is reread from the log up to the
///   target. Meanwhile live messages of the partition only move the target, so nothing is held in memory.
struct LiveFeed: Sendable {
    /// A partition that is being reread.
    private struct Repair {
        let slot: StreamSlot
        var target: StreamPlace
    }

    /// The next piece of the log to read.
    struct RepairRead: Sendable {
        let slot: StreamSlot
        let from: StreamPlace
        let to: Offset
    }

    enum Verdict: Equatable {
        /// Emit it.
        case deliver(StreamSlot)
        /// Emit it without a place: it is no group's, or of a partition that no cursor could name.
        case foreign
        /// Emitted before.
        case duplicate
        /// A repair will bring it.
        case deferred(startsRepair: Bool)
    }

    let layout: StreamLayout
    private(set) var positions: StreamPositions
    private var repairs: [Repair] = []

    /// A stream that begins at these ends.
    init(_ ends: [ReplayTopic]) {
        layout = StreamLayout(ends)
        positions = StreamPositions(ends)
    }

    /// Takes a message from the bus.
    mutating func take(_ message: Message) -> Verdict {
        guard let previous = message.previousOffset, let topic = layout.index(of: message.record.topic),
            message.record.partition < StreamCursor.partitionLimit
        else { return .foreign }
        let slot = StreamSlot(topic: topic, partition: Int(message.record.partition))
        let after = StreamPlace(after: message)
        let position = positions[slot]
        if position >= after { return .duplicate }
        if extendRepair(of: slot, to: after) { return .deferred(startsRepair: false) }
        let index = message.record.index
        let required =
            index == 0 ? StreamPlace(offset: previous + 1) : StreamPlace(offset: message.record.offset, index: index)
        if position < required {
            repairs.append(Repair(slot: slot, target: after))
            return .deferred(startsRepair: true)
        }
        positions[slot] = after
        return .deliver(slot)
    }

    /// The bus may have lost messages: everything up to these ends is reread. Returns how many partitions are behind.
    mutating func missed(upTo ends: [ReplayTopic]) -> Int {
        var behind = 0
        for end in ends {
            guard let topic = layout.index(of: end.topic) else { continue }
            for (partition, offset) in end.offsets.enumerated() {
                let slot = StreamSlot(topic: topic, partition: partition)
                let target = StreamPlace(offset: offset)
                guard positions[slot] < target else { continue }
                behind += 1
                if !extendRepair(of: slot, to: target) { repairs.append(Repair(slot: slot, target: target)) }
            }
        }
        return behind
    }

    /// What to read next; nil if no partition is behind.
    var nextRead: RepairRead? {
        repairs.first.map { repair in
            RepairRead(slot: repair.slot, from: positions[repair.slot], to: repair.target.readingEnd)
        }
    }

    /// Takes the page that was read for ``nextRead``, and returns what to emit.
    mutating func repaired(_ read: RepairRead, _ page: ReplayPage, key: (Message) -> Bytes?) -> [LiveItem] {
        var items: [LiveItem] = []
        let slot = read.slot
        if let kept = page.gapUntil, positions[slot] < StreamPlace(offset: kept) {
            positions[slot] = StreamPlace(offset: kept)
            items.append(.gap(slot, positions[slot]))
        }
        for message in page.messages where StreamPlace(of: message) >= positions[slot] {
            positions[slot] = StreamPlace(after: message)
            // A message that nobody can match still moves the position.
            items.append(
                key(message).map { .message(LiveMessage(message, key: $0, slot: slot)) } ?? .advance(slot, positions[slot]))
        }
        if positions[slot] < StreamPlace(offset: page.next) {
            positions[slot] = StreamPlace(offset: page.next)
            items.append(.advance(slot, positions[slot]))
        }
        repairs.removeAll { $0.slot == slot && $0.target <= positions[slot] }
        // The others get their turn, so that one busy partition does not hold them up.
        if repairs.count > 1, repairs[0].slot == slot { repairs.append(repairs.removeFirst()) }
        return items
    }

    private mutating func extendRepair(of slot: StreamSlot, to target: StreamPlace) -> Bool {
        guard let index = repairs.firstIndex(where: { $0.slot == slot }) else { return false }
        repairs[index].target = max(repairs[index].target, target)
        return true
    }
}
