/// The requests that may be under way at the same time, shared so that endpoints that are dead, which hold theirs until the
/// timeout, leave some to the others:
/// - an endpoint has at most as many as are still free, so that one more always finds some;
/// - endpoints whose last attempt failed, or that have not answered yet, have at most half of all together.
struct RequestSlots {
    let limit: Int
    private(set) var count = 0
    /// What the requests under way take up in memory, about.
    private(set) var bytes = 0
    /// Of those under way, how many go to endpoints that are not proven.
    private(set) var unproven = 0

    /// Whether the endpoint may have another one.
    func allows(_ queue: EndpointQueue) -> Bool {
        queue.inFlight < limit - count && (queue.pace.isProven || unproven < max(1, limit / 2))
    }

    mutating func took(_ delivery: Delivery) {
        count += 1
        bytes += delivery.size
    }

    mutating func freed(_ delivery: Delivery) {
        count -= 1
        bytes -= delivery.size
    }

    /// What an endpoint has is counted anew.
    mutating func moved(unprovenBy change: Int) {
        unproven += change
    }
}
