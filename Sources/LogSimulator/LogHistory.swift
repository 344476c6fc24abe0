import EmbeddedLog

/// One seeded history: random steps on a log over a simulated disk, with power failures, errors and
/// a full disk, checked against a model after each.
struct LogHistory {
    let seed: UInt64
    let disk: SimulatedDisk
    let clock = SimulatedClock()
    var random: SeededGenerator
    var model = HistoryModel()
    var log: EmbeddedLog?
    var step = 0
    var trail: [String] = []
    var partitions: Int32 = 2
    /// After a repair gave up some of them, what is there counts.
    var doubtsKeys = false
    var doubtsOffsets = false
    /// Damage whose losses cannot be told ends the history: there is no model to compare with.
    var isOver = false
    var doubtsProducer = false

    static let plain = "plain"
    static let trimmed = "trimmed"
    static let outbox = "outbox"
    static let group = "group"

    init(seed: UInt64, planted: PlantedBug?) {
        self.seed = seed
        random = SeededGenerator(seed: seed)
        disk = SimulatedDisk(seed: seed ^ 0xD15C, planted: planted)
    }

    mutating func run(steps: Int) throws(SimulationFailure) {
        try restart(.power, faults: false)
        while step < steps {
            step += 1
            try takeStep()
            if isOver { return }
        }
        try restart(.power, faults: false)
    }

    /// Works until the power fails after so many changes; whether it did not.
    mutating func crash(after changes: Int, steps: Int) throws(SimulationFailure) -> Bool {
        try restart(.power, faults: false)
        disk.faults.powerFailsAfter = changes
        while step < steps, !disk.isOff {
            step += 1
            try work()
        }
        let isWhole = !disk.isOff
        try restart(.power, faults: false)
        return isWhole
    }

    /// Only steps of the first kinds, which do not stop the log or arm faults.
    mutating func work() throws(SimulationFailure) { try takeStep(below: 80) }

    private mutating func takeStep(below bound: Int = 100) throws(SimulationFailure) {
        switch pick(bound) {
        case 0..<22: try append()
        case 22..<30: try setKeys()
        case 30..<38: try publish()
        case 38..<47: try produce()
        case 47..<55: try appendOnce()
        case 55..<60: try commitOffset()
        case 60..<66: note("flush") { $0.runFlush() }
        case 66..<71: note("checkpoint") { $0.checkpoint() }
        case 71..<75: note("maintain") { $0.maintain() }
        case 75..<78:
            let milliseconds = Int64(pick(40_000)) - 10_000
            clock.step(milliseconds: milliseconds)
            trail.append("clock \(milliseconds)")
        case 78..<80: addPartition()
        case 80..<84: armFaults()
        case 84..<86: try rot()
        case 86..<88: try restart(.close, faults: false)
        case 88..<92: try restart(.kill, faults: pick(3) == 0)
        case 92..<96: try restart(.power, faults: pick(3) == 0)
        default: try check()
        }
        if bound == 100, log?.refusal != nil || disk.isOff { try restart(pick(2) == 0 ? .kill : .power, faults: pick(4) == 0) }
    }

    mutating func pick(_ bound: Int) -> Int { Int.random(in: 0..<bound, using: &random) }

    private mutating func note(_ what: String, _ body: (EmbeddedLog) -> Void) {
        trail.append(what)
        if let log { body(log) }
    }

    private mutating func armFaults() {
        var faults = DiskFaults()
        switch pick(6) {
        case 0: faults.powerFailsAfter = pick(60)
        case 1: faults.syncErrorPerMille = 30 + pick(300)
        case 2: faults.writeErrorPerMille = 30 + pick(300)
        case 3: faults.capacity = 280_000 + pick(300_000)
        case 4: faults.readErrorPerMille = 5 + pick(50)
        default: break
        }
        trail.append("faults \(faults)")
        disk.faults = faults
    }

    private mutating func addPartition() {
        guard partitions < 5, let log else { return }
        trail.append("add partition")
        do throws(LogError) {
            try log.ensureTopic(Self.plain, TopicConfiguration(partitions: Int(partitions) + 1, compression: compression))
            partitions += 1
        } catch {
            trail.append("  \(error.code.name)")
        }
    }

    /// How new batches are compressed, another way after each restart.
    var compression: Compression { Compression.allCases[step % Compression.allCases.count] }

    func failure(_ message: String) -> SimulationFailure {
        SimulationFailure(seed: seed, step: step, message: message, trail: Array(trail.suffix(30)))
    }
}
