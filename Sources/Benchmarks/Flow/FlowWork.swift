/// Posts likes and follows each to its recipient's stream.
struct FlowWork: Workload {
    /// What happened to the likes.
    struct Outcome {
        /// Answered with 201.
        var accepted = 0
        /// Answered otherwise.
        var refused = 0
        /// Accepted, and no notification came.
        var lost = 0
        /// Notifications beyond the first of a like.
        var duplicate = 0
        /// Notifications of likes that were refused, or on another user's stream.
        var unexpected = 0
    }

    private let capacity: Int
    private let userCount: Int
    private let template: LikeTemplate
    private var sentAt: [Int64]
    private var isAccepted: [Bool]
    private var seen: [UInt8]
    private var acceptedCount = 0
    private var answeredCount = 0
    private var notifiedCount = 0
    private var strayCount = 0
    private var lastNotification: Int64 = 0
    /// When notifications came whose like was not answered yet, by the like's number; a few at a time.
    private var early: [Int: Int64] = [:]
    /// Latencies are kept of likes from this number on; what comes before warms up.
    var firstMeasured = Int.max
    private(set) var answerLatencies: Latencies
    private(set) var streamLatencies: Latencies
    /// Likes measured and answered with 201.
    private(set) var measuredAccepted = 0

    init(capacity: Int, userCount: Int) {
        self.capacity = capacity
        self.userCount = userCount
        template = LikeTemplate(userCount: userCount)
        sentAt = Array(repeating: 0, count: capacity)
        isAccepted = Array(repeating: false, count: capacity)
        seen = Array(repeating: 0, count: capacity)
        answerLatencies = Latencies(capacity: capacity)
        streamLatencies = Latencies(capacity: capacity)
    }

    func hasRequest(_ number: Int) -> Bool { number < capacity }

    mutating func request(_ number: Int) -> UnsafeRawBufferPointer {
        template.request(number)
    }

    mutating func answered(_ number: Int, status: Int, sentAt: Int64, now: Int64) {
        answeredCount += 1
        self.sentAt[number] = sentAt
        guard status == 201 else { return }
        isAccepted[number] = true
        acceptedCount += 1
        guard number >= firstMeasured else { return }
        measuredAccepted += 1
        answerLatencies.add(now - sentAt)
        // The notification may be faster than the answer.
        if let notifiedAt = early.removeValue(forKey: number) { streamLatencies.add(notifiedAt - sentAt) }
    }

    mutating func received(_ number: Int, stream: Int, now: Int64) {
        let like = number - LikeTemplate.firstPost
        guard like >= 0, like < capacity, like % userCount == stream else {
            strayCount += 1
            return
        }
        seen[like] = seen[like] == .max ? .max : seen[like] + 1
        guard seen[like] == 1 else { return }
        notifiedCount += 1
        lastNotification = now
        guard like >= firstMeasured else { return }
        if isAccepted[like] {
            streamLatencies.add(now - sentAt[like])
        } else {
            early[like] = now
        }
    }

    var isComplete: Bool { notifiedCount >= acceptedCount }

    /// When the last notification came, in nanoseconds of the monotonic clock.
    var lastNotificationAt: Int64 { lastNotification }

    /// The exact counts, over all likes.
    var outcome: Outcome {
        var outcome = Outcome()
        outcome.accepted = acceptedCount
        outcome.refused = answeredCount - acceptedCount
        outcome.unexpected = strayCount
        for number in 0..<capacity {
            let count = Int(seen[number])
            if isAccepted[number] {
                if count == 0 { outcome.lost += 1 }
                outcome.duplicate += max(0, count - 1)
            } else {
                outcome.unexpected += count
            }
        }
        return outcome
    }
}
