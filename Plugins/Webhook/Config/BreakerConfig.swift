public import Martlet

/// The block `breaker`.
public struct BreakerConfig: ModuleConfig {
    public let failures: Int
    public let pauseSeconds: Int
    public let maxPauseSeconds: Int

    public init(from fields: inout ConfigFields) {
        failures = fields.optional(
            "failures", default: 10, in: 1...10_000, "Failed attempts in a row after which the endpoint is paused.")
        pauseSeconds = fields.optional(
            "pause_seconds", default: 30, in: 1...86_400, "The first pause; each probe that fails doubles it.")
        maxPauseSeconds = fields.optional("max_pause_seconds", default: 900, in: 1...86_400, "The longest pause.")
        if maxPauseSeconds < pauseSeconds {
            fields.problem(
                at: "max_pause_seconds", with: ["pause_seconds"], "must not be below `pause_seconds`", found: String(maxPauseSeconds))
        }
    }
}
