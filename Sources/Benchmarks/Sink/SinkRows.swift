import Martlet

/// The rows of the sink benchmark, as the bare loops send them.
struct SinkRows {
    static let batch = 1_000
    static let table =
        "CREATE TABLE notifications (id TEXT PRIMARY KEY, recipient TEXT NOT NULL, text TEXT NOT NULL, created_at BIGINT NOT NULL)"
    static let recipient = "u000042"
    static let text = "a123456789 liked your post"

    /// Ascending, as a host gives them.
    let ids: [[UInt8]]
    let createdAt: Int64

    init(_ count: Int) {
        ids = (0..<count).map { _ in Array(EventID.generate().string.utf8) }
        createdAt = Timestamp.now()
    }
}
