public import Martlet

/// The block `retry`.
public struct RetryConfig: ModuleConfig {
    /// The delays of the Standard Webhooks specification.
    static let standardDelays = [5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400]
    static let longestDelay = 30 * 86_400

    public let delaysSeconds: [Int]
    public let jitterPercent: Int
    public let retryAfterMaxSeconds: Int

    public init(from fields: inout ConfigFields) {
        delaysSeconds = fields.optional(
            "delays_seconds", default: Self.standardDelays,
            "The wait before each further attempt; after the last one the delivery has failed.")
        jitterPercent = fields.optional(
            "jitter_percent", default: 20, in: 0...100, "By how much a wait is shortened or lengthened at random.")
        retryAfterMaxSeconds = fields.optional(
            "retry_after_max_seconds", default: 3_600, in: 0...86_400, "The longest `Retry-After` of an endpoint that is honoured.")
        if let bad = delaysSeconds.first(where: { !(0...Self.longestDelay).contains($0) }) {
            fields.problem(at: "delays_seconds", "each delay must be from 0 to \(Self.longestDelay) seconds", found: String(bad))
        }
        if delaysSeconds.count > 100 { fields.problem(at: "delays_seconds", "has at most 100 delays", found: String(delaysSeconds.count)) }
    }
}
