/// A promise that the log broke in a history.
package struct SimulationFailure: Error, Sendable, CustomStringConvertible {
    package let seed: UInt64
    /// The step at which it was seen.
    package let step: Int
    package let message: String
    /// The last steps before it.
    package let trail: [String]

    package var description: String {
        "seed \(seed), step \(step): \(message)\n  " + trail.joined(separator: "\n  ")
    }
}
