/// Redis Streams with `appendfsync always`, measured with its own `redis-benchmark`.
enum RedisStreams {
    /// Events a second of 50 clients that XADD 200 bytes each; nil if Redis is not installed.
    static func run(seconds: Double, clients: Int, in folder: TemporaryFolder) throws -> Double? {
        guard let load = ChildProcess.find("redis-benchmark"),
            let redis = try RedisProcess(["--appendonly", "yes", "--appendfsync", "always"], in: folder)
        else { return nil }
        defer { redis.stop() }
        let port = String(redis.port)
        // A first short run says how many requests fill the time.
        let pace = try rate(load, port, 20_000, clients, folder)
        return try rate(load, port, max(1_000, Int(pace * seconds)), clients, folder)
    }

    private static func rate(
        _ program: String, _ port: String, _ requests: Int, _ clients: Int, _ folder: TemporaryFolder
    ) throws -> Double {
        let value = String(repeating: "v", count: LogShape.valueBytes)
        let run = try ChildProcess(
            program,
            ["-p", port, "-n", String(requests), "-c", String(clients), "-q", "--csv", "XADD", "bench", "*", "f", value],
            output: folder.path + "/redis-benchmark.log")
        try run.wait(atMost: 120)
        // "XADD bench * f vvv","61349.69",…
        for line in run.output.split(separator: "\n") where line.hasPrefix("\"XADD") {
            let columns = line.split(separator: ",")
            if columns.count > 1, let rate = Double(columns[1].filter { $0 != "\"" }) { return rate }
        }
        throw BenchmarkError("redis-benchmark says no rate: \(run.output)")
    }
}
