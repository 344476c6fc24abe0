/// A read that a queue asks for.
enum ReadAction: Sendable {
    /// The heads that wait for a retry, without what is to be sent.
    case held(rows: Int)
    /// The heads whose retry is due.
    case due(now: Int64, rows: Int)
    /// Deliveries of a key that the scan passed by.
    case key(LaneTable.LaneRead, rows: Int)
    /// The next deliveries of all keys.
    case scan(after: Int64, rows: Int)
}
