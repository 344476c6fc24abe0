/// Runs seeded histories of faults against the log.
package enum LogSimulator {
    /// Runs one history. The same seed gives the same history.
    /// - Parameter planted: a bug that the history is meant to find.
    /// - Throws: the promise that was broken, with the seed.
    package static func run(seed: UInt64, steps: Int = 120, planted: PlantedBug? = nil) throws(SimulationFailure) {
        var history = LogHistory(seed: seed, planted: planted)
        try history.run(steps: steps)
    }

    /// Runs one history of work again and again, each time cutting the power at the next change of the disk: every write,
    /// sync, name. Then it is recovered and compared with the model.
    /// - Returns: how many changes there were.
    package static func crashAtEachChange(seed: UInt64, steps: Int) throws(SimulationFailure) -> Int {
        var limit = 0
        while true {
            var history = LogHistory(seed: seed, planted: nil)
            if try history.crash(after: limit, steps: steps) { return limit }
            limit += 1
        }
    }

    /// Runs histories until a planted bug shows; returns how many it took, or `nil`.
    package static func historiesToFind(_ bug: PlantedBug, limit: Int) -> Int? {
        for seed in 0..<limit {
            do throws(SimulationFailure) {
                try run(seed: UInt64(seed), planted: bug)
            } catch {
                return seed + 1
            }
        }
        return nil
    }
}
