import Martlet

/// The deliveries of one endpoint that are in memory, by key: within a key one is under way at a time, in the order of ids;
/// keys do not wait for each other. No I/O: it says what is to be read, and is told what was.
///
/// What is read ahead is bounded by its user; what is not held here waits in the database, and a lane knows up to where it
/// has taken its key (`loadedThrough`) and up to where the scan has passed its key by (`passedThrough`):
/// - the scan over all keys only goes up, so that it meets each delivery once;
/// - a delivery of a lane whose head waits for a retry is passed by, and read later, by its key, between the two marks.
struct LaneTable {
    /// What lanes are found by. Deliveries without a key have lanes of their own.
    enum LaneKey: Hashable {
        case key(Bytes)
        case single(Int64)

        init(_ key: Bytes?, _ id: Int64) {
            self = key.map { .key($0) } ?? .single(id)
        }
    }

    /// A part of a key's deliveries that is to be read.
    struct LaneRead: Equatable {
        let key: Bytes
        let after: Int64
        let through: Int64
    }

    private enum Phase: Equatable {
        case idle
        case busy(Int64)
        /// The head waits for its retry.
        case held(Int64)
        /// The head's retry is due, and the head has to be read.
        case due(Int64)
        case reading
    }

    private struct Lane {
        var phase = Phase.idle
        var waiting: [Delivery] = []
        /// How many at the front of `waiting` are gone.
        var taken = 0
        var loadedThrough: Int64
        var passedThrough: Int64 = 0

        var count: Int { waiting.count - taken }
        var isBehind: Bool { passedThrough > loadedThrough }

        mutating func popFirst() -> Delivery {
            let first = waiting[taken]
            taken += 1
            if taken == waiting.count {
                waiting = []
                taken = 0
            }
            return first
        }
    }

    /// Deliveries of one key that are read ahead.
    static let laneLimit = 64

    private var lanes: [LaneKey: Lane] = [:]
    /// Lanes that are idle and have something: each stands here once, as long as that is so.
    private var ready = FIFOQueue<LaneKey>()
    private var toRead: [LaneKey] = []
    /// An entry that is not true any more is told by its id.
    private var dueTimes = DueTimes<(key: LaneKey, id: Int64)>()
    /// Deliveries in memory that are not under way, and their bytes.
    private(set) var loadedCount = 0
    private(set) var loadedBytes = 0
    /// Keys whose head waits for a retry.
    private(set) var heldCount = 0
    /// Heads that are due and have to be read.
    private(set) var dueCount = 0

    var isEmpty: Bool { lanes.isEmpty }
    /// The time up to which heads were noted as due, though the clock be set back since.
    private(set) var dueThrough: Int64 = 0
    /// When the next head is due, in milliseconds since the epoch.
    var nextDue: Int64? { dueTimes.first }

    // MARK: What was read

    /// Heads that wait for their retry, when the endpoint is loaded.
    mutating func hold(_ heads: [HeldDelivery]) {
        for head in heads {
            let key = LaneKey(head.key, head.id)
            guard lanes[key] == nil else { continue }
            lanes[key] = Lane(phase: .held(head.id), loadedThrough: head.id)
            heldCount += 1
            dueTimes.insert(head.dueAt, (key, head.id))
        }
    }

    /// Deliveries that the scan met, in the order of ids.
    mutating func add(_ deliveries: [Delivery]) {
        for delivery in deliveries {
            let key = LaneKey(delivery.key, delivery.id)
            guard var lane = lanes[key] else {
                lanes[key] = Lane(waiting: [delivery], loadedThrough: delivery.id)
                load(delivery)
                ready.append(key)
                continue
            }
            var mustWait = lane.isBehind || lane.count >= Self.laneLimit
            switch lane.phase {
            case .held, .due, .reading: mustWait = true
            case .idle, .busy: break
            }
            if mustWait {
                lane.passedThrough = delivery.id
            } else {
                lane.waiting.append(delivery)
                lane.loadedThrough = delivery.id
                load(delivery)
            }
            lanes[key] = lane
        }
    }

    /// What a ``LaneRead`` found.
    mutating func add(_ deliveries: [Delivery], of read: LaneRead, isLast: Bool) {
        let key = LaneKey.key(read.key)
        guard var lane = lanes[key], lane.phase == .reading else { return }
        lane.phase = .idle
        lane.waiting += deliveries
        for delivery in deliveries { load(delivery) }
        lane.loadedThrough = isLast ? read.through : deliveries.last?.id ?? read.through
        lanes[key] = lane
        settle(key)
    }

    /// A read that failed is made again.
    mutating func failed(_ read: LaneRead) {
        let key = LaneKey.key(read.key)
        guard lanes[key]?.phase == .reading else { return }
        lanes[key]?.phase = .idle
        settle(key)
    }

    /// Heads whose retry is due. If no others are due, those that were expected and are not there are given up.
    mutating func addDue(_ heads: [Delivery], isLast: Bool) {
        for head in heads {
            let key = LaneKey(head.key, head.id)
            var lane = lanes[key] ?? Lane(phase: .held(head.id), loadedThrough: head.id)
            if lanes[key] == nil { heldCount += 1 }
            switch lane.phase {
            case .due(head.id): dueCount -= 1
            case .held(head.id): heldCount -= 1
            default: continue
            }
            lane.phase = .idle
            lane.waiting.insert(head, at: lane.taken)
            load(head)
            lanes[key] = lane
            ready.append(key)
        }
        guard isLast, dueCount > 0 else { return }
        for (key, lane) in lanes {
            guard case .due = lane.phase else { continue }
            dueCount -= 1
            lanes[key]?.phase = .idle
            settle(key)
        }
    }

    private mutating func load(_ delivery: Delivery) {
        loadedCount += 1
        loadedBytes += delivery.size
    }

    private mutating func unload(_ delivery: Delivery) {
        loadedCount -= 1
        loadedBytes -= delivery.size
    }

    // MARK: What is to be done

    /// Whether there is something to send.
    var hasNext: Bool { ready.count > 0 }

    /// The next delivery to send; its key waits until ``left(_:)`` or ``hold(_:)``.
    mutating func next() -> Delivery? {
        while ready.count > 0 {
            let key = ready.removeFirst()
            guard var lane = lanes[key], lane.phase == .idle, lane.count > 0 else { continue }
            let delivery = lane.popFirst()
            lane.phase = .busy(delivery.id)
            lanes[key] = lane
            unload(delivery)
            return delivery
        }
        return nil
    }

    /// A part of a key that is to be read now.
    mutating func nextRead() -> LaneRead? {
        while let key = toRead.popLast() {
            guard case .key(let bytes) = key, var lane = lanes[key], lane.phase == .idle, lane.count == 0, lane.isBehind else { continue }
            lane.phase = .reading
            lanes[key] = lane
            return LaneRead(key: bytes, after: lane.loadedThrough, through: lane.passedThrough)
        }
        return nil
    }

    /// Notes which heads are due. Returns whether there are heads to be read.
    mutating func markDue(now: Int64) -> Bool {
        dueThrough = max(dueThrough, now)
        while let (_, (key, id)) = dueTimes.popFirst(upTo: now) {
            guard lanes[key]?.phase == .held(id) else { continue }
            lanes[key]?.phase = .due(id)
            heldCount -= 1
            dueCount += 1
        }
        return dueCount > 0
    }

    /// A delivery is done with, whatever became of it; the next of its key may go.
    mutating func left(_ delivery: Delivery) {
        let key = LaneKey(delivery.key, delivery.id)
        guard lanes[key]?.phase == .busy(delivery.id) else { return }
        lanes[key]?.phase = .idle
        settle(key)
    }

    /// A delivery failed and is tried again; its key waits for it, outside memory. When it is due says
    /// ``schedule(_:_:at:)``, once the database knows as well.
    mutating func hold(_ delivery: Delivery) {
        let key = LaneKey(delivery.key, delivery.id)
        guard var lane = lanes[key], lane.phase == .busy(delivery.id) else { return }
        lane.phase = .held(delivery.id)
        heldCount += 1
        for waiting in lane.waiting[lane.taken...] { unload(waiting) }
        if lane.count > 0 {
            lane.passedThrough = max(lane.passedThrough, lane.loadedThrough)
            lane.loadedThrough = delivery.id
        }
        lane.waiting = []
        lane.taken = 0
        lanes[key] = lane
    }

    /// The database has it that a delivery is tried again at a time.
    ///
    /// - Parameter dueAt: milliseconds since the epoch.
    mutating func schedule(_ id: Int64, _ key: Bytes?, at dueAt: Int64) {
        let key = LaneKey(key, id)
        guard lanes[key]?.phase == .held(id) else { return }
        dueTimes.insert(dueAt, (key, id))
    }

    /// What an idle lane does next: send, read, or go.
    private mutating func settle(_ key: LaneKey) {
        guard let lane = lanes[key], lane.phase == .idle else { return }
        if lane.count > 0 {
            ready.append(key)
        } else if lane.isBehind {
            toRead.append(key)
        } else {
            lanes[key] = nil
        }
    }
}
