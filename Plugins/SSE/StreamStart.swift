import Martlet

/// Where a client wants its stream to begin.
enum StreamStart {
    /// With what comes next.
    case latest
    /// With the first event kept.
    case earliest
    case cursor(StreamCursor)
    /// The client named an id that is none of this stream's.
    case unknown

    /// - Parameters:
    ///   - header: `Last-Event-ID`, which a client sets when it reconnects; it goes before the query, which stays in its URL.
    ///   - query: `last_event_id`.
    init(header: String?, query: String?) {
        let given = header.flatMap { $0.isEmpty ? nil : $0 } ?? query ?? ""
        switch given {
        case "", "latest": self = .latest
        case "earliest": self = .earliest
        default: self = StreamCursor(given).map { .cursor($0) } ?? .unknown
        }
    }

    /// What the log must be asked before the stream begins.
    enum Question {
        case starts, ends
    }

    /// Nil if the stream can begin at once.
    var question: Question? {
        switch self {
        case .latest, .unknown: nil
        case .earliest: .starts
        case .cursor: .ends
        }
    }

    /// The positions that a cursor stands for, and whether events may be missing before them.
    ///
    /// - A topic that the cursor does not know begins at 0 if it was added since; if the cursor has a topic that is not
    ///   there any more (another incarnation: the log was wiped), what the client missed cannot be told: it goes on live.
    /// - So it does in a partition that ends before the cursor's place.
    static func resolve(
        _ cursor: StreamCursor, layout: StreamLayout, live: StreamPositions, ends: StreamPositions
    ) -> (positions: StreamPositions, hasGap: Bool) {
        let hasForeign = cursor.topics.contains { !layout.tags.contains($0.tag) }
        var positions = live
        var hasGap = false
        for (topic, tag) in layout.tags.enumerated() {
            let places = cursor.topics.first { $0.tag == tag }?.places
            if places == nil, hasForeign || cursor.topics.isEmpty {
                hasGap = true
                continue
            }
            let known = places ?? []
            // Partitions that nobody here knows of are none: a cursor cannot make a connection large.
            let count = max(ends.topics[topic].count, live.topics[topic].count)
            if known.dropFirst(count).contains(where: { $0 > .start }) { hasGap = true }
            for partition in 0..<count {
                let slot = StreamSlot(topic: topic, partition: partition)
                let place = partition < known.count ? known[partition] : .start
                if place > ends[slot] {
                    hasGap = true
                } else {
                    positions[slot] = place
                }
            }
        }
        return (positions, hasGap)
    }
}
