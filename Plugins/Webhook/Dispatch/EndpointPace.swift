/// How much an endpoint is asked at the moment: the breaker, the number of requests at the same time, the rate.
///
/// The number of requests begins with one, so that an endpoint that is dead holds one alone; a row of as many successes adds
/// a quarter, at least one, and an overloaded answer halves it.
struct EndpointPace: Sendable {
    /// What an endpoint may get.
    struct Limits: Sendable {
        var maxInFlight: Int
        var maxPerSecond: Int?
        /// Failures in a row that open the breaker.
        var breakerFailures: Int
        /// Milliseconds.
        var firstPause: Int64
        var longestPause: Int64
    }

    /// Whether the endpoint is asked at all.
    enum Breaker: Equatable {
        case closed
        /// Nothing is sent until then; milliseconds of the steady clock.
        case open(until: Int64)
        /// One delivery is sent, to see.
        case probing
    }

    /// How many requests an endpoint gets at the same time before it has answered any.
    private static let firstInFlight = 1
    /// The pause after an overloaded answer that names none.
    private static let overloadPause: Int64 = 1_000

    var limits: Limits
    private(set) var breaker = Breaker.closed
    private(set) var failuresInARow = 0
    private var pause: Int64
    private var allowed: Int
    private var successes = 0
    /// Nothing is sent before; milliseconds of the steady clock.
    private var notBefore: Int64 = 0
    private var tokens: Double
    private var tokensAt: Int64

    init(_ limits: Limits, now: Int64) {
        self.limits = limits
        pause = limits.firstPause
        allowed = min(limits.maxInFlight, Self.firstInFlight)
        tokens = 1
        tokensAt = now
    }

    /// Whether another request may be sent, but for the rate.
    func isReady(inFlight: Int, now: Int64) -> Bool {
        switch breaker {
        case .open(let until) where now < until: false
        case .probing where inFlight > 0: false
        default: inFlight < min(allowed, limits.maxInFlight) && now >= notBefore
        }
    }

    /// Whether another request may be sent; if so, it is counted.
    mutating func admit(inFlight: Int, now: Int64) -> Bool {
        guard isReady(inFlight: inFlight, now: now) else { return false }
        if case .open = breaker { breaker = .probing }
        return takeToken(now)
    }

    private mutating func takeToken(_ now: Int64) -> Bool {
        guard let rate = limits.maxPerSecond.map(Double.init) else { return true }
        // At most a tenth of a second's requests at once.
        tokens = min(max(1, rate / 10), tokens + Double(now - tokensAt) * rate / 1000)
        tokensAt = now
        guard tokens >= 1 else { return false }
        tokens -= 1
        return true
    }

    /// When ``admit(inFlight:now:)`` may answer otherwise although nothing was answered; nil if only an answer changes it.
    func nextChange(now: Int64) -> Int64? {
        var change = notBefore
        if case .open(let until) = breaker { change = max(change, until) }
        if change <= now, let rate = limits.maxPerSecond, tokens < 1 {
            change = tokensAt + max(1, Int64((1 - tokens) * 1000 / Double(rate)))
        }
        return change > now ? change : nil
    }

    /// Returns whether the breaker was closed by this.
    mutating func succeeded() -> Bool {
        failuresInARow = 0
        successes += 1
        if successes >= allowed {
            successes = 0
            allowed = min(limits.maxInFlight, allowed + max(1, allowed / 4))
        }
        guard breaker != .closed else { return false }
        breaker = .closed
        pause = limits.firstPause
        return true
    }

    /// Returns whether the breaker was opened by this (or stays open, after a probe).
    mutating func failed(isOverloaded: Bool, retryAfter: Int64?, now: Int64) -> Bool {
        failuresInARow += 1
        successes = 0
        if isOverloaded {
            allowed = max(1, allowed / 2)
            notBefore = max(notBefore, now + (retryAfter ?? Self.overloadPause))
        }
        switch breaker {
        case .open: return false
        case .closed where failuresInARow < limits.breakerFailures: return false
        case .closed: break
        case .probing: pause = min(limits.longestPause, pause * 2)
        }
        breaker = .open(until: now + pause)
        allowed = min(limits.maxInFlight, Self.firstInFlight)
        return true
    }

    /// Forgets what went wrong, because an operator says so.
    mutating func reset() {
        breaker = .closed
        failuresInARow = 0
        pause = limits.firstPause
        notBefore = 0
    }
}
