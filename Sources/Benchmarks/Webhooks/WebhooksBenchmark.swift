import CLinux

/// `martlet bench webhooks`: signed deliveries to one receiver in this process, in order per key.
package struct WebhooksBenchmark: Benchmark {
    private static let batch = 1_000
    private static let publishers = 2

    private let settings: BenchmarkSettings
    private let inFlight: Int

    package init(_ settings: BenchmarkSettings, inFlight: Int) {
        self.settings = settings
        self.inFlight = inFlight
    }

    package func run() throws -> BenchmarkReport {
        var report = BenchmarkReport("webhooks")
        for run in 1...settings.runs {
            settings.progress("run \(run) of \(settings.runs)")
            try measure(&report)
        }
        report.note(
            "\(WebhookConfig.keys) keys, events of about 200 bytes, HMAC-SHA256, at most \(inFlight) requests under way; SQLite, synced; "
                + "each delivery with its attempt is kept")
        return report
    }

    private func measure(_ report: inout BenchmarkReport) throws {
        let folder = try TemporaryFolder(in: settings.directory)
        let receiver = try WebhookReceiver()
        defer { receiver.stop() }
        let host = try HostProcess(config: WebhookConfig.text(endpoint: receiver.port, inFlight: inFlight), in: folder)
        // Enough for the time that was asked for, at a rate that is beyond the aim.
        let count = max(Self.batch, Int(settings.seconds * 10_000) / Self.batch * Self.batch)
        var published = 0
        while published < count {
            let body = WebhookConfig.lines(from: published, count: Self.batch)
            let status = HTTPProbe.post(port: host.port, path: "/events", type: "application/x-ndjson", body: body)
            guard (200..<300).contains(status) else { throw BenchmarkError("the host answered \(status) to a batch of events") }
            published += Self.batch
        }
        var last = 0
        var quietSince = MonotonicClock.now
        _ = MonotonicClock.wait(atMost: 300) {
            let now = receiver.count
            if now != last {
                last = now
                quietSince = MonotonicClock.now
            }
            return now >= count || MonotonicClock.now - quietSince > MonotonicClock.seconds(20)
        }
        host.stop()
        let tally = receiver.current
        let seconds = Double(max(1, tally.lastAt - tally.firstAt)) / 1e9
        report.add("deliveries to one receiver", Double(tally.count) / seconds, "deliveries/s", aim: .atLeast(8_000))
        report.addPromise("events that did not arrive", max(0, count - (tally.count - tally.duplicates)))
        report.addPromise("events out of the order of their key", tally.outOfOrder)
        report.add("events that arrived twice", Double(tally.duplicates), "")
    }
}
