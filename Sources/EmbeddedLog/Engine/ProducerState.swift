/// What a partition remembers of one idempotent producer, as Kafka's brokers do: its epoch and its last five batches.
struct ProducerState: Sendable, Equatable {
    struct Batch: Sendable, Equatable {
        let baseSequence: Int32
        let count: Int32
        /// Of the first record; -1 until it has its place in the running cycle.
        var baseOffset: Int64

        /// The sequence that follows. Sequences go on with 0 after the largest `Int32`.
        var nextSequence: Int32 { Int32(truncatingIfNeeded: (Int64(baseSequence) + Int64(count)) & 0x7FFF_FFFF) }
    }

    enum Verdict: Equatable {
        case next
        case repeated
        /// The epoch that appended last.
        case fenced(Int16)
        /// The sequence that would follow.
        case outOfOrder(Int32)
    }

    /// Kafka's number: a client has at most so many requests under way.
    static let keptBatches = 5

    var epoch: Int16
    /// The oldest first.
    var batches: [Batch]
    /// When the producer last appended, in milliseconds since the epoch.
    var lastAppend: Int64

    func verdict(epoch: Int16, baseSequence: Int32, count: Int32) -> Verdict {
        if epoch < self.epoch { return .fenced(self.epoch) }
        if epoch > self.epoch { return baseSequence == 0 ? .next : .outOfOrder(0) }
        if batches.contains(where: { $0.baseSequence == baseSequence && $0.count == count }) { return .repeated }
        guard let expected = batches.last?.nextSequence, expected != baseSequence else { return .next }
        return .outOfOrder(expected)
    }

    /// Takes note of a batch that is next.
    mutating func add(epoch: Int16, baseSequence: Int32, count: Int32, now: Int64) {
        if epoch != self.epoch { batches = [] }
        self.epoch = epoch
        if batches.count >= Self.keptBatches { batches.removeFirst(batches.count - Self.keptBatches + 1) }
        batches.append(Batch(baseSequence: baseSequence, count: count, baseOffset: -1))
        lastAppend = now
    }

    /// The offset of a batch kept; -1 if it is not.
    func offset(ofSequence baseSequence: Int32) -> Int64 { batches.last { $0.baseSequence == baseSequence }?.baseOffset ?? -1 }

    mutating func setOffset(_ offset: Int64, ofSequence baseSequence: Int32) {
        guard let index = batches.lastIndex(where: { $0.baseSequence == baseSequence }) else { return }
        batches[index].baseOffset = offset
    }
}

/// The idempotent producers of one partition.
struct ProducerTable {
    private(set) var states: [Int64: ProducerState] = [:]

    subscript(id: Int64) -> ProducerState? {
        get { states[id] }
        set { states[id] = newValue }
    }

    /// Makes room for one more: forgets who appended longest ago, if that was before a time or there are too many.
    /// - Returns: the producers forgotten, at most two.
    mutating func makeRoom(limit: Int, expiredBefore time: Int64) -> [Int64] {
        var forgotten: [Int64] = []
        while forgotten.count < 2, let oldest = states.min(by: { $0.value.lastAppend < $1.value.lastAppend }),
            states.count >= limit || oldest.value.lastAppend < time
        {
            states[oldest.key] = nil
            forgotten.append(oldest.key)
        }
        return forgotten
    }
}
