import Martlet
import Synchronization

/// One partition: what this host knows of its offsets, the cursors that stand in it, and who waits for a record.
///
/// librdkafka is never called with the lock held: it calls back with locks of its own.
final class KafkaPartition: Sendable {
    /// What a reader gets, to begin with.
    enum Place {
        /// A cursor that stands at the offset.
        case standing(KafkaCursor)
        /// A cursor that stands elsewhere.
        case elsewhere(KafkaCursor)
        /// No cursor yet: one is to be made on this lane.
        case lane(Int)
        /// All cursors are in use: the signal comes when one may be free.
        case none(KafkaSignal)
    }

    private struct State {
        var first: Offset = 0
        /// No offset before it is beyond the end.
        var end: Offset = 0
        /// The last record that is known to exist.
        var newest: Offset = -1
        /// Up to the end, as the brokers last told it, there was no record: transactions' marks, or what compaction has left.
        var hole: Range<Offset> = 0..<0
        var cursors: [KafkaCursor] = []
        /// Lanes on which a cursor is being made or closed.
        var lanesInWork: Set<Int> = []
        /// Those who wait for a record.
        var waiters: [ObjectIdentifier: KafkaSignal] = [:]
        /// Those who wait for a cursor, the first first.
        var queue: [KafkaSignal] = []
        var isClosed = false
    }

    /// Cursors in one partition at most; the one that was not used for longest moves for whoever comes beyond that.
    static let laneLimit = 16
    /// After how long a cursor that nobody used goes to another reader, before a lane is added for it.
    private static let restAfter = Duration.seconds(5)

    let topic: TopicName
    let number: PartitionID
    private let state = Mutex(State())

    init(topic: TopicName, number: PartitionID) {
        self.topic = topic
        self.number = number
    }

    // MARK: Offsets

    var offsets: Range<Offset> { state.withLock { $0.first..<max($0.first, $0.end) } }
    var end: Offset { state.withLock { $0.end } }

    /// Whether a record at the offset or after it is known.
    func hasRecord(from offset: Offset) -> Bool {
        state.withLock { $0.newest >= ($0.hole.contains(offset) ? $0.hole.upperBound : offset) }
    }

    /// The brokers told of these offsets; an end that this host knows better stays.
    func heard(_ range: Range<Offset>) -> Range<Offset> {
        state.withLock { state in
            state.first = range.lowerBound
            state.end = max(state.end, range.upperBound)
            return state.first..<max(state.first, state.end)
        }
    }

    /// The partition ends at this offset or later.
    ///
    /// - Parameter start: from here to the end there is no record; nil if that is not known.
    func heard(end: Offset, emptyFrom start: Offset? = nil) {
        state.withLock { state in
            state.end = max(state.end, end)
            if let start, start < end, end >= state.hole.upperBound { state.hole = start..<end }
        }
    }

    /// There is a record: whoever waits for it looks.
    func hasRecord(at offset: Offset) {
        let waiters = state.withLock { state -> [KafkaSignal] in
            state.end = max(state.end, offset + 1)
            guard offset > state.newest else { return [] }
            state.newest = offset
            return Array(state.waiters.values)
        }
        for waiter in waiters { waiter.signal() }
    }

    /// The brokers have less than was known: the topic was made anew, or its leader lost records.
    ///
    /// - Parameter end: only if this is still the end that is known.
    func reset(_ range: Range<Offset>, ifItEndsAt end: Offset? = nil) {
        state.withLock { state in
            if let end, state.end != end { return }
            state.first = range.lowerBound
            state.end = range.upperBound
            state.newest = min(state.newest, range.upperBound - 1)
            state.hole = 0..<0
        }
    }

    // MARK: Waiting

    func add(_ waiter: KafkaSignal) {
        let isClosed = state.withLock { state in
            state.waiters[ObjectIdentifier(waiter)] = waiter
            return state.isClosed
        }
        if isClosed { waiter.signal() }
    }

    func remove(_ waiter: KafkaSignal) {
        state.withLock { $0.waiters[ObjectIdentifier(waiter)] = nil }
    }

    /// Something came for a cursor, or one went elsewhere: whoever waits looks. Called with a lock of librdkafka held.
    func wakeWaiters() {
        let waiters = state.withLock { Array($0.waiters.values) }
        for waiter in waiters { waiter.signal() }
    }

    // MARK: Cursors

    /// Takes a cursor for an offset, or the right to make one; it is the caller's until ``release(_:)`` or ``discard(_:)``.
    ///
    /// - Throws: transient, `log.not_open`.
    func take(_ offset: Offset) throws(ModuleError) -> Place {
        try state.withLock { state throws(ModuleError) in
            if state.isClosed { throw KafkaFailure.closed }
            let idle = state.cursors.filter { !$0.isTaken }
            if let cursor = idle.first(where: { $0.stands(at: offset) }) {
                cursor.isTaken = true
                return .standing(cursor)
            }
            let oldest = idle.min { $0.lastUse < $1.lastUse }
            let used = Set(state.cursors.map(\.lane)).union(state.lanesInWork)
            if let oldest, used.count >= Self.laneLimit || oldest.lastUse + Self.restAfter < .now {
                oldest.isTaken = true
                return .elsewhere(oldest)
            }
            guard let lane = (0..<Self.laneLimit).first(where: { !used.contains($0) }) else {
                let signal = KafkaSignal()
                state.queue.append(signal)
                return .none(signal)
            }
            state.lanesInWork.insert(lane)
            return .lane(lane)
        }
    }

    /// Takes in a cursor that was made on a lane, already taken; false if the partition was closed meanwhile.
    func add(_ cursor: KafkaCursor) -> Bool {
        state.withLock { state in
            if state.isClosed { return false }
            state.lanesInWork.remove(cursor.lane)
            state.cursors.append(cursor)
            return true
        }
    }

    /// No cursor stands on the lane any more.
    func free(lane: Int) {
        let next = state.withLock { state in
            state.lanesInWork.remove(lane)
            return state.queue.isEmpty ? nil : state.queue.removeFirst()
        }
        next?.signal()
        wakeWaiters()
    }

    /// Whoever got ``Place/none(_:)`` waits no longer.
    ///
    /// - Parameter isLeaving: it does not take the cursor that it may have been signalled for, which is the next one's then.
    func dequeue(_ signal: KafkaSignal, isLeaving: Bool) {
        let next = state.withLock { state -> KafkaSignal? in
            if let index = state.queue.firstIndex(where: { $0 === signal }) {
                state.queue.remove(at: index)
                return nil
            }
            return isLeaving && !state.queue.isEmpty ? state.queue.removeFirst() : nil
        }
        next?.signal()
    }

    /// Gives a cursor back; false if it is to be closed.
    func release(_ cursor: KafkaCursor) -> Bool {
        let (isKept, next) = state.withLock { state in
            cursor.isTaken = false
            cursor.lastUse = .now
            let isKept = !state.isClosed
            if !isKept { state.cursors.removeAll { $0 === cursor } }
            return (isKept, state.queue.isEmpty ? nil : state.queue.removeFirst())
        }
        next?.signal()
        return isKept
    }

    /// Takes a cursor out, which is to be closed, and its lane freed then.
    func discard(_ cursor: KafkaCursor) {
        state.withLock { state in
            state.cursors.removeAll { $0 === cursor }
            state.lanesInWork.insert(cursor.lane)
        }
    }

    /// Takes out the cursors that nobody used for a time, but for one while somebody waits for a record.
    func takeIdle(for time: Duration) -> [KafkaCursor] {
        let idle = state.withLock { state -> [KafkaCursor] in
            let before = ContinuousClock.now - time
            var idle = state.cursors.filter { !$0.isTaken && $0.lastUse < before }
            if !state.waiters.isEmpty, idle.count == state.cursors.count, let newest = idle.max(by: { $0.lastUse < $1.lastUse }) {
                idle.removeAll { $0 === newest }
            }
            for cursor in idle {
                state.cursors.removeAll { $0 === cursor }
                state.lanesInWork.insert(cursor.lane)
            }
            return idle
        }
        // One of them may have been what a waiter relied on.
        if !idle.isEmpty { wakeWaiters() }
        return idle
    }

    /// Ends all reading: those who wait or read fail. Returns the cursors that nobody has taken, which are to be closed.
    func close() -> [KafkaCursor] {
        let (idle, taken, waiters) = state.withLock { state in
            state.isClosed = true
            let idle = state.cursors.filter { !$0.isTaken }
            state.cursors.removeAll { !$0.isTaken }
            return (idle, state.cursors, Array(state.waiters.values) + state.queue)
        }
        for cursor in taken { cursor.news.signal() }
        for waiter in waiters { waiter.signal() }
        return idle
    }

    var isClosed: Bool { state.withLock { $0.isClosed } }
}
