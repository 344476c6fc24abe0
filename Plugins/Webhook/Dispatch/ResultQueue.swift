/// Results of attempts on their way into the database, one transaction at a time.
struct ResultQueue {
    /// Results that wait to be written; past it nothing is sent.
    private static let limit = 10_000
    /// Results of one transaction.
    private static let batch = 2_000
    /// How long a write that failed waits, in milliseconds.
    private static let pause: Int64 = 500

    private var waiting: [AttemptResult] = []
    private var underWay: [AttemptResult] = []
    private(set) var isWriting = false
    /// Writes that have failed in a row.
    private(set) var failures = 0
    private var notBefore: Int64 = 0

    /// Whether all is written.
    var isEmpty: Bool { waiting.isEmpty && !isWriting }
    /// Whether there may be more results: not while the database cannot take them, since what is not written is delivered
    /// again after a crash.
    var hasRoom: Bool { failures == 0 && waiting.count + underWay.count < Self.limit }
    /// When the next write is due, in milliseconds of the steady clock; nil if there is none, or one is under way.
    var nextWrite: Int64? { isWriting || waiting.isEmpty ? nil : notBefore }

    mutating func add(_ result: AttemptResult) {
        waiting.append(result)
    }

    /// What is to be written now; nil if nothing is.
    mutating func begin(now: Int64) -> [AttemptResult]? {
        guard !isWriting, !waiting.isEmpty, now >= notBefore else { return nil }
        isWriting = true
        underWay = Array(waiting.prefix(Self.batch))
        waiting.removeFirst(underWay.count)
        return underWay
    }

    /// The write has taken place. Returns what is written, and whether writes failed before.
    mutating func succeeded() -> (results: [AttemptResult], isBack: Bool) {
        defer {
            underWay = []
            failures = 0
            isWriting = false
        }
        return (underWay, failures > 0)
    }

    /// The write has failed, and is made again.
    mutating func failed(now: Int64) {
        isWriting = false
        failures += 1
        waiting = underWay + waiting
        underWay = []
        notBefore = now + Self.pause
    }
}
