/// The ids of a topic's newest events, and where those are. One for all partitions, since an event without a key may come back
/// to another one; the commit thread alone uses it, so that appends are judged in the order of their places.
///
/// Bounded by number and age. An entry takes 56 bytes, up to about 150 with the room that its tables keep.
struct EventWindow {
    struct Place: Sendable, Equatable {
        let partition: Int32
        let offset: Int64
    }

    private struct Entry {
        let id: EventIDHash
        /// When it was appended, in milliseconds since the epoch.
        let time: Int64
    }

    private var entries = FIFO<Entry>()
    private var places: [EventIDHash: Place] = [:]

    var count: Int { entries.count }

    func place(of id: EventIDHash) -> Place? { places[id] }

    /// Lets go of what is too old.
    mutating func expire(_ limits: DeduplicationWindow, now: Int64) {
        while let oldest = entries.first, oldest.time < now - limits.milliseconds { removeOldest() }
    }

    /// Takes note of a new event, letting go of the oldest ones beyond the limit. Known ids are left as they are.
    mutating func insert(_ id: EventIDHash, at place: Place, time: Int64, _ limits: DeduplicationWindow) {
        guard id != .none, places[id] == nil else { return }
        while entries.count >= max(limits.events, 1) { removeOldest() }
        places[id] = place
        entries.append(Entry(id: id, time: time))
    }

    /// Goes through the ids of an append, from an index on: new ones get the next offsets, one after the other.
    /// - Returns: the known ones.
    mutating func take(
        _ ids: [EventIDHash], from first: Int, partition: Int32, offset: Int64, time: Int64, _ limits: DeduplicationWindow
    ) -> [KnownEvent] {
        expire(limits, now: time)
        var known: [KnownEvent] = []
        var next = offset
        for index in first..<ids.count {
            if let place = places[ids[index]] {
                known.append(KnownEvent(index: Int32(index), partition: place.partition, offset: place.offset))
            } else {
                insert(ids[index], at: Place(partition: partition, offset: next), time: time, limits)
                next += 1
            }
        }
        return known
    }

    private mutating func removeOldest() {
        guard let oldest = entries.first else { return }
        places[oldest.id] = nil
        entries.removeFirst(1)
    }
}

/// A record of an append that the topic had already, and where.
package struct KnownEvent: Sendable, Equatable {
    /// Its index among the records of the append.
    package let index: Int32
    package let partition: Int32
    package let offset: Int64
}

/// What the commit thread knows of a topic.
final class TopicCommitState: @unchecked Sendable {
    // Unchecked: only the commit thread touches it (recovery before it starts).
    var window: EventWindow?
}
