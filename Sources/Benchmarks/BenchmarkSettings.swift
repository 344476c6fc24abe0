/// What all benchmarks share.
package struct BenchmarkSettings: Sendable {
    /// How often each number is measured.
    package var runs: Int
    /// Length of each measurement.
    package var seconds: Double
    /// Where data is kept while measuring; a disk, since the promise is durability.
    package var directory: String
    /// Called with what is being done, for a person who waits.
    package var progress: @Sendable (String) -> Void

    package init(runs: Int, seconds: Double, directory: String, progress: @escaping @Sendable (String) -> Void) {
        self.runs = runs
        self.seconds = seconds
        self.directory = directory
        self.progress = progress
    }
}
