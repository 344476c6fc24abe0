/// Since when an endpoint has failed without a success between, and what the database has of it. Milliseconds since the epoch.
struct FailingSpell {
    /// An endpoint that fails now and then is not worth a write each time; one that has failed for so long is.
    private static let notedAfter: Int64 = 60_000

    /// Nil while the endpoint works.
    private(set) var since: Int64?
    private var noted: Int64?

    /// - Parameter noted: what the database has.
    init(noted: Int64?) {
        since = noted
        self.noted = noted
    }

    mutating func failed(now: Int64) {
        since = since ?? now
    }

    mutating func succeeded() {
        since = nil
    }

    /// Whether it is to be noted now what the database does not have; if so, it counts as noted.
    ///
    /// - Parameter isPaused: whether the breaker has opened, which is worth a write.
    mutating func mustNote(now: Int64, isPaused: Bool) -> Bool {
        guard since != noted else { return false }
        if let since, !isPaused, now - since < Self.notedAfter { return false }
        noted = since
        return true
    }
}
