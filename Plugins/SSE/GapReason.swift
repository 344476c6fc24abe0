/// Why a stream has an `event: gap`.
enum GapReason: String, CaseIterable {
    /// Retention removed what the client missed.
    case retention
    /// The client's id is of another log, or none.
    case unknownID = "unknown_id"
    /// The bus lost messages, and the channel has no replay.
    case lost
    /// An event is larger than half of `buffer_bytes`.
    case tooLarge = "too_large"
    /// The client was too slow, and the channel drops the oldest.
    case slow
}
