import CLinux
import EmbeddedLog

/// Kills a process that appends, and measures how long its log takes to recover.
struct RecoveryMeasure {
    private let settings: BenchmarkSettings
    private let bytes: Int

    init(_ settings: BenchmarkSettings, bytes: Int) {
        self.settings = settings
        self.bytes = bytes
    }

    func measure(_ report: inout BenchmarkReport) throws {
        let folder = try TemporaryFolder(in: settings.directory)
        let child = try ChildProcess(
            ChildProcess.ownProgram, ["bench", "fill", "--directory", folder.path, "--bytes", String(bytes)],
            output: folder.path + "/fill.log")
        let limit = 60 + Double(bytes) / 20e6
        let _: Bool = try child.waitForOutput(atMost: limit, "the log was not filled") { $0.contains("more ") ? true : nil }
        child.stop(signal: SIGKILL)
        let acknowledged = child.output.split(separator: "\n").compactMap { $0.split(separator: " ").last.flatMap { Int($0) } }.max() ?? 0
        let start = MonotonicClock.now
        let log = try UnrecoveredLog(LogConfiguration(directory: folder.path, minFreeBytes: 0)).recover()
        let seconds = Double(MonotonicClock.now - start) / 1e9
        defer { log.close() }
        var found = 0
        for partition in 0..<Int32(LogFiller.partitions) {
            found += Int(try log.endOffset(LogFiller.topic, partition) - log.startOffset(LogFiller.topic, partition))
        }
        report.add("recovery after kill -9, log of \(bytes >> 20) MiB", seconds * 1000, "ms", aim: .atMost(1000))
        report.addPromise("acknowledged events lost by kill -9", max(0, acknowledged - found))
    }
}
