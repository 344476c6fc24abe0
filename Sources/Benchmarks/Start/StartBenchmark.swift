import CLinux

/// `martlet bench start`: how long a host takes to start on a log that was closed cleanly, and what it takes when idle.
package struct StartBenchmark: Benchmark {
    private let settings: BenchmarkSettings
    private let bytes: Int

    package init(_ settings: BenchmarkSettings, bytes: Int) {
        self.settings = settings
        self.bytes = bytes
    }

    package func run() throws -> BenchmarkReport {
        var report = BenchmarkReport("start")
        let folder = try TemporaryFolder(in: settings.directory)
        try fill(folder)
        for run in 1...settings.runs {
            settings.progress("run \(run) of \(settings.runs)")
            let host = try HostProcess(config: ShippedFlow.config, in: folder)
            report.add("start to serving, log of \(bytes >> 20) MiB", host.startSeconds * 1000, "ms", aim: .atMost(200))
            clinux_sleep_until(MonotonicClock.now + MonotonicClock.seconds(min(1, settings.seconds)))
            report.add("idle memory, resident", Double(host.process.residentBytes) / 1_048_576, "MiB", aim: .atMost(40))
            report.add("idle memory, its own share", Double(host.process.memoryBytes) / 1_048_576, "MiB")
            let stopped = MonotonicClock.now
            host.stop()
            report.add("stop", Double(MonotonicClock.now - stopped) / 1e6, "ms")
        }
        report.note("the shipped flow, after a clean stop; the files are in the page cache")
        return report
    }

    private func fill(_ folder: TemporaryFolder) throws {
        guard bytes > 0 else { return }
        settings.progress("filling the log")
        let child = try ChildProcess(
            ChildProcess.ownProgram,
            ["bench", "fill", "--directory", folder.path + "/data", "--bytes", String(bytes), "--stop"], output: folder.path + "/fill.log")
        try child.wait(atMost: 60 + Double(bytes) / 20e6)
    }
}
