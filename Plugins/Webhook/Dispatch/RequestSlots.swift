/// The requests that may be under way at the same time. An endpoint that does not answer holds its slots until the timeout, so
/// that those that answer, and need theirs for a moment, have some that the others cannot take:
///
/// - the last eighth is for the first request of an endpoint that answers,
/// - the last quarter for first requests,
/// - those that hang have a quarter at most.
///
/// So whatever number of endpoints is new or hangs, those that answer get slots. Those that answered until now, and die at the
/// same time, can hold all there are if they are as many, until their first timeout: nobody can tell before. How few an
/// endpoint has that does not answer says ``EndpointPace``.
struct RequestSlots {
    let limit: Int
    private(set) var count = 0
    private var hangingCount = 0
    /// What the requests under way take up in memory, about.
    private(set) var bytes = 0

    init(limit: Int) {
        self.limit = limit
    }

    /// How many more may be under way.
    func room(for claim: SlotClaim) -> Int {
        let reserved = limit > 1 ? max(1, limit / 8) : 0
        let withoutQuarter = max(1, limit - max(reserved, limit / 4))
        return switch claim {
        case .first: limit - count
        case .trial: limit - reserved - count
        case .more: withoutQuarter - count
        case .hanging: min(limit - reserved - count, max(1, limit / 4) - hangingCount)
        }
    }

    mutating func took(_ delivery: Delivery, for claim: SlotClaim) {
        count += 1
        bytes += delivery.size
        if claim == .hanging { hangingCount += 1 }
    }

    mutating func freed(_ delivery: Delivery, of claim: SlotClaim) {
        count -= 1
        bytes -= delivery.size
        if claim == .hanging { hangingCount -= 1 }
    }
}
