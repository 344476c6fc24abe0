/// The requests that may be under way at the same time. A quarter is kept for endpoints that have none, so that those that
/// have died, and hold theirs until the timeout, do not hold up the others. How few an endpoint has that does not answer
/// says ``EndpointPace``.
struct RequestSlots {
    let limit: Int
    private(set) var count = 0
    /// What the requests under way take up in memory, about.
    private(set) var bytes = 0

    /// Whether an endpoint that has so many may have another one.
    func allows(inFlight: Int) -> Bool {
        count < (inFlight == 0 ? limit : max(1, limit - limit / 4))
    }

    mutating func took(_ delivery: Delivery) {
        count += 1
        bytes += delivery.size
    }

    mutating func freed(_ delivery: Delivery) {
        count -= 1
        bytes -= delivery.size
    }
}
