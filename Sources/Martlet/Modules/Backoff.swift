/// Waits between tries that double from `initial` to `maximum`, with full jitter (each wait is uniform between half of
/// the step and the step), so that many partitions do not retry in step. The default maximum is also how long whoever waits
/// lags behind a database, a bus or a log that has come back.
package struct Backoff: Sendable {
    package let initial: Duration
    package let maximum: Duration
    private var step: Duration?

    package init(initial: Duration = .milliseconds(100), maximum: Duration = .seconds(5)) {
        self.initial = initial
        self.maximum = maximum
    }

    /// The next wait, at least `atLeast`.
    package mutating func next(atLeast: Duration? = nil) -> Duration {
        let current = min(step.map { $0 * 2 } ?? initial, maximum)
        step = current
        let jittered = current * Double.random(in: 0.5...1)
        return max(jittered, atLeast ?? .zero)
    }

    /// Starts over after a success.
    package mutating func reset() {
        step = nil
    }
}
