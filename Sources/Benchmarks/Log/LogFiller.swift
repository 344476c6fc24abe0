import CLinux
import EmbeddedLog

/// `martlet bench fill`: appends to a log until it is killed, saying how much was acknowledged. Part of the measurement
/// of recoveries, which kills it.
package struct LogFiller: Benchmark {
    static let topic = "bench"
    static let partitions = 16

    private let directory: String
    private let bytes: Int
    private let stopsCleanly: Bool

    /// - Parameter stopsCleanly: ends by itself with a clean close once it is full.
    package init(directory: String, bytes: Int, stopsCleanly: Bool) {
        self.directory = directory
        self.bytes = bytes
        self.stopsCleanly = stopsCleanly
    }

    package func run() throws -> BenchmarkReport {
        let log = try UnrecoveredLog(LogConfiguration(directory: directory, minFreeBytes: 0)).recover()
        try log.ensureTopic(Self.topic, TopicConfiguration(partitions: Self.partitions))
        let load = try AppendLoad(log, topic: Self.topic, shape: LogShape(producers: 8, batch: 1000, partitions: Self.partitions))
        var acknowledged = 0
        var size = 0
        while size < bytes {
            let result = try load.run(seconds: 3600, events: min(100_000, max(1_000, (bytes - size) / LogShape.valueBytes)))
            acknowledged += result.events
            size += result.bytes
        }
        say("full \(acknowledged)")
        if stopsCleanly {
            log.close()
            return BenchmarkReport("fill")
        }
        // Goes on until it is killed, in the middle of a commit cycle.
        while true {
            acknowledged += try load.run(seconds: 3600, events: 10_000).events
            say("more \(acknowledged)")
        }
    }

    private func say(_ text: String) {
        let line = Array("\(text)\n".utf8)
        _ = write(STDOUT_FILENO, line, line.count)
    }
}
