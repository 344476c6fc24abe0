import Martlet

/// A bucket of tokens for each key: a token a record, refilled at a steady rate.
struct TokenBuckets {
    private struct Bucket {
        /// Negative while records are held back.
        var tokens: Double
        var updated: ContinuousClock.Instant
        var number: Int
    }

    private var buckets: [Bytes: Bucket] = [:]
    private var order = FIFOQueue<(key: Bytes, number: Int)>()
    private var lastNumber = 0
    private let rate: Double
    private let burst: Double
    private let limit: Int

    /// - Parameters:
    ///   - rate: tokens a second.
    ///   - burst: what a bucket holds.
    ///   - limit: buckets; past it the one that was used longest ago is forgotten, and is full when its key comes again.
    init(rate: Double, burst: Int, limit: Int) {
        self.rate = rate
        self.burst = Double(burst)
        self.limit = limit
    }

    var count: Int { buckets.count }

    /// Takes a token if there is one.
    mutating func take(_ key: Bytes, at now: ContinuousClock.Instant) -> Bool {
        var bucket = filled(key, at: now)
        let isThere = bucket.tokens >= 1
        if isThere { bucket.tokens -= 1 }
        keep(key, bucket)
        return isThere
    }

    /// Takes a token, if need be one of the future, and returns how long it is till then.
    mutating func reserve(_ key: Bytes, at now: ContinuousClock.Instant) -> Duration {
        var bucket = filled(key, at: now)
        bucket.tokens -= 1
        keep(key, bucket)
        return bucket.tokens >= 0 ? .zero : .seconds(-bucket.tokens / rate)
    }

    private func filled(_ key: Bytes, at now: ContinuousClock.Instant) -> Bucket {
        guard var bucket = buckets[key] else { return Bucket(tokens: burst, updated: now, number: 0) }
        bucket.tokens = min(burst, bucket.tokens + max(0, (now - bucket.updated) / .seconds(1)) * rate)
        bucket.updated = now
        return bucket
    }

    private mutating func keep(_ key: Bytes, _ bucket: Bucket) {
        lastNumber += 1
        var bucket = bucket
        bucket.number = lastNumber
        buckets[key] = bucket
        order.append((key, lastNumber))
        while buckets.count > limit || order.count > max(64, buckets.count * 2) {
            let oldest = order.removeFirst()
            if buckets[oldest.key]?.number == oldest.number {
                if buckets.count > limit { buckets[oldest.key] = nil } else { order.append(oldest) }
            }
        }
    }
}
