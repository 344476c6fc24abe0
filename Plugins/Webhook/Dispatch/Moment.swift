import Martlet

/// One moment on two clocks: due times are on the wall's, which hosts share; pauses must not jump with it.
struct Moment: Sendable {
    private static let start = ContinuousClock.now

    /// Milliseconds since the epoch.
    var wall: Int64
    /// Milliseconds of a clock that never goes back.
    var steady: Int64

    static func now() -> Moment {
        let passed = (ContinuousClock.now - start).components
        return Moment(wall: Timestamp.now(), steady: passed.seconds * 1000 + passed.attoseconds / 1_000_000_000_000_000)
    }
}
