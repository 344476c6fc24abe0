import Martlet

/// What a process writes on standard error, on its way to the log: long lines are cut, and too many in a second are
/// dropped and counted.
struct ErrorLines {
    static let lineBytes = 4096
    static let linesPerSecond = 100

    private var buffer = LineBuffer(limit: ErrorLines.lineBytes, overflow: .cut)
    private var second = ContinuousClock.now
    private var lines = 0
    private var dropped = 0
    private let logger: Logger
    private let droppedTotal: Counter

    init(logger: Logger, dropped: Counter) {
        self.logger = logger
        droppedTotal = dropped
    }

    /// Reads what there is. False at the end.
    mutating func read(_ descriptor: CInt) -> Bool {
        var taken: [Bytes] = []
        var hasEnded = false
        do {
            if case .ended = try buffer.read(descriptor, { taken.append($0) }) { hasEnded = true }
        } catch {
            // Lines are cut here, so none is too long.
            hasEnded = true
        }
        for line in taken { log(line) }
        return !hasEnded
    }

    private mutating func log(_ line: Bytes) {
        let now = ContinuousClock.now
        if now - second >= .seconds(1) { begin(at: now) }
        lines += 1
        if lines <= Self.linesPerSecond {
            logger.info(line.string, ("stream", "stderr"))
        } else {
            dropped += 1
            droppedTotal.add()
        }
    }

    private mutating func begin(at now: ContinuousClock.Instant) {
        if dropped > 0 {
            logger.warning("dropped \(dropped) lines of the process's standard error, which had more than \(Self.linesPerSecond) in a second")
        }
        second = now
        lines = 0
        dropped = 0
    }

    /// Tells of the lines dropped last.
    mutating func finish() {
        begin(at: .now)
    }
}
