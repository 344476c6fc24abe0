import CLinux

/// `martlet bench webhooks --endpoints N`: how long events take to many endpoints, and how much longer when some of the
/// endpoints are dead.
///
/// Two phases with all alive enclose two with some dead, each with a host of its own; what those that live in all of them saw is
/// pooled by kind. How much the two with all alive differ is the noise of the machine, and is reported as well.
package struct EndpointsBenchmark: Benchmark {
    /// Whether some are dead in a phase: neither kind is always the later one.
    private static let order = [false, true, true, false]
    private static let warmUpSeconds = 2.0

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

    /// What the endpoints saw that live in every phase.
    private struct Phase {
        /// In nanoseconds.
        let latencies: [Int64]
        let lost: Int
        let repeats: Int

        var p99: Double { Latencies(latencies).sorted().percentile(0.99) }
    }

    package func run() throws -> BenchmarkReport {
        var report = BenchmarkReport("webhooks")
        for run in 1...settings.runs {
            var whole: [Phase] = []
            var partial: [Phase] = []
            for (index, hasDead) in Self.order.enumerated() {
                settings.progress("run \(run) of \(settings.runs), phase \(index + 1) of \(Self.order.count)")
                if hasDead { partial.append(try measure(dead: dead)) } else { whole.append(try measure(dead: 0)) }
            }
            add(whole, partial, to: &report)
        }
        report.note(
            "\(endpoints) endpoints in turn, \(rate) events/s, each for one endpoint; the dead ones never answer, refuse connections, let "
                + "nobody in or answer 500, a quarter each (timeout 1 s), measured from their first event on; all phases count the same "
                + "\(endpoints - dead) endpoints, two phases with some dead between two with all alive a run")
        return report
    }

    private func add(_ whole: [Phase], _ partial: [Phase], to report: inout BenchmarkReport) {
        var p99: [Double] = []
        for (name, phases) in [("all live", whole), ("\(dead) dead", partial)] {
            let latencies = Latencies(phases.flatMap(\.latencies)).sorted()
            p99.append(latencies.percentile(0.99))
            report.add("post to \(endpoints - dead) endpoints, \(name), p50", latencies.percentile(0.5), "ms")
            report.add("post to \(endpoints - dead) endpoints, \(name), p99", latencies.percentile(0.99), "ms")
            report.addPromise("did not arrive, \(name)", phases.reduce(0) { $0 + $1.lost })
            report.add("arrived twice, \(name)", Double(phases.reduce(0) { $0 + $1.repeats }), "")
        }
        report.add("p99, \(dead) dead as a multiple of all live", p99[1] / max(0.001, p99[0]), "x", aim: .atMost(1.2))
        let alone = whole.map(\.p99)
        report.add("p99, one phase of all live as a multiple of another", (alone.max() ?? 0) / max(0.001, alone.min() ?? 0), "x")
    }

    private func measure(dead: Int) throws -> Phase {
        let folder = try TemporaryFolder(in: settings.directory)
        let receiver = try EndpointsReceiver(capacity: Int((settings.seconds + Self.warmUpSeconds) * Double(rate)) + 1)
        defer { receiver.stop() }
        let places = EndpointsConfig.Places(count: endpoints, dead: dead, alive: receiver.port, deadPorts: receiver.deadPorts)
        let host = try HostProcess(config: EndpointsConfig.text(places), in: folder)
        defer { host.stop() }
        let work = EndpointsWork(endpoints: endpoints, mortal: self.dead, receiver: receiver)
        let driver = try LoadDriver(work: work, streams: StreamSet(capacity: 0, marker: "-"))
        try driver.connect(port: host.port, count: 64)
        try driver.run(.rate(rate), seconds: Self.warmUpSeconds, drain: 10)
        let first = driver.nextNumber
        work.measure(from: first)
        try driver.run(.rate(rate), seconds: settings.seconds, drain: 10)
        guard work.refused == 0 else { throw BenchmarkError("\(work.refused) events were refused") }
        let last = driver.nextNumber
        func isLive(_ number: Int) -> Bool { work.endpoint(of: number) >= self.dead }
        _ = MonotonicClock.wait(atMost: 30) {
            let arrived = receiver.arrivedAt
            return (0..<last).allSatisfy { arrived[$0] != 0 || !isLive($0) }
        }
        let arrived = receiver.arrivedAt
        return Phase(
            latencies: (first..<last).filter { isLive($0) && arrived[$0] != 0 }.map { arrived[$0] - work.sentAt[$0] },
            lost: (0..<last).count { isLive($0) && arrived[$0] == 0 }, repeats: receiver.repeats)
    }
}
