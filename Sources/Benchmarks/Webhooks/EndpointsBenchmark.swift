import CLinux

/// `martlet bench webhooks --endpoints N`: how long events take to many endpoints, and how much longer when some of the
/// endpoints are dead.
package struct EndpointsBenchmark: Benchmark {
    private let settings: BenchmarkSettings
    private let endpoints: Int
    private let dead: Int
    private let rate: Int

    package init(_ settings: BenchmarkSettings, endpoints: Int, dead: Int, rate: Int) {
        self.settings = settings
        self.endpoints = endpoints
        self.dead = dead
        self.rate = rate
    }

    /// What the endpoints saw that live in every run.
    private struct Result {
        let latencies: Latencies.Sorted
        let lost: Int
        let repeats: Int
    }

    package func run() throws -> BenchmarkReport {
        var report = BenchmarkReport("webhooks")
        let live = endpoints - dead
        for run in 1...settings.runs {
            settings.progress("run \(run) of \(settings.runs)")
            let whole = try measure(dead: 0)
            let partial = try measure(dead: dead)
            for (name, result) in [("all live", whole), ("\(dead) dead", partial)] {
                report.add("post to \(live) endpoints, \(name), p50", result.latencies.percentile(0.5), "ms")
                report.add("post to \(live) endpoints, \(name), p99", result.latencies.percentile(0.99), "ms")
                report.addPromise("did not arrive, \(name)", result.lost)
                report.add("arrived twice, \(name)", Double(result.repeats), "")
            }
            report.add(
                "p99, \(dead) dead as a multiple of all live",
                partial.latencies.percentile(0.99) / max(0.001, whole.latencies.percentile(0.99)), "x", aim: .atMost(1.2))
        }
        report.note(
            "\(endpoints) endpoints in turn, \(rate) events/s, each for one endpoint; of two dead ones one refuses connections and one never "
                + "answers (timeout 1 s); both count the same \(live) endpoints")
        return report
    }

    private func measure(dead: Int) throws -> Result {
        let folder = try TemporaryFolder(in: settings.directory)
        let warmUp = 1.0
        let receiver = try EndpointsReceiver(capacity: Int((settings.seconds + warmUp) * Double(rate)) + 1)
        defer { receiver.stop() }
        let places = EndpointsConfig.Places(
            count: endpoints, dead: dead, alive: receiver.port, silent: receiver.silentPort, refusing: receiver.refusingPort)
        let host = try HostProcess(config: EndpointsConfig.text(places), in: folder)
        defer { host.stop() }
        let work = EndpointsWork(endpoints: endpoints, receiver: receiver)
        let driver = try LoadDriver(work: work, streams: StreamSet(capacity: 0, marker: "-"))
        try driver.connect(port: host.port, count: 64)
        // With the dead ones: what they hold up at first is measured, what starting costs is not.
        try driver.run(.rate(rate), seconds: warmUp, drain: 10)
        let first = driver.nextNumber
        try driver.run(.rate(rate), seconds: settings.seconds, drain: 10)
        guard work.refused == 0 else { throw BenchmarkError("\(work.refused) events were refused") }
        let last = driver.nextNumber
        func isLive(_ number: Int) -> Bool { work.endpoint(of: number) >= self.dead }
        _ = MonotonicClock.wait(atMost: 30) {
            let arrived = receiver.arrivedAt
            return (0..<last).allSatisfy { arrived[$0] != 0 || !isLive($0) }
        }
        let arrived = receiver.arrivedAt
        var latencies = Latencies(capacity: last - first)
        for number in first..<last where isLive(number) && arrived[number] != 0 { latencies.add(arrived[number] - work.sentAt[number]) }
        return Result(
            latencies: latencies.sorted(), lost: (0..<last).count { isLive($0) && arrived[$0] == 0 }, repeats: receiver.repeats)
    }
}
