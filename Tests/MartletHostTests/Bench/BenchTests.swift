import Benchmarks
import Foundation
import Testing

/// Each benchmark for a second: it runs to its end, its output can be read, and nothing is lost or comes twice. How fast
/// it was is nobody's business here.
@Suite(.serialized) struct BenchTests {
    private func check(_ run: BenchRun, _ promises: [String], positive: [String], runs: Int) throws {
        #expect(run.exitCode == 0, "\(run.errors)\n\(run.output)")
        #expect(run.leftovers.isEmpty)
        let measures = try run.measures()
        for name in promises {
            let measure = try #require(measures[name], "no \(name) among \(measures.keys.sorted())")
            #expect(measure.values == Array(repeating: 0, count: runs), "\(name): \(measure.values)")
        }
        for name in positive {
            let measure = try #require(measures[name], "no \(name) among \(measures.keys.sorted())")
            #expect(measure.values.count == runs)
            #expect(measure.min > 0, "\(name): \(measure.values)")
            #expect(measure.min <= measure.median && measure.median <= measure.max)
        }
    }

    @Test func flowAtARate() throws {
        let run = try BenchRun(["flow", "--rate", "50", "--seconds", "1", "--clients", "4", "--users", "5", "--runs", "2", "--json"])
        try check(
            run, ["lost", "duplicate", "unexpected", "refused"],
            positive: ["likes answered", "request to 201, p50", "request to SSE, p99"], runs: 2)
        // One like every 20 ms for a second: an open loop sends them all, however slow the answers.
        #expect(try run.measures()["likes answered"]?.values == [50, 50])
    }

    @Test func flowFlatOut() throws {
        let run = try BenchRun(["flow", "--flat-out", "--seconds", "1", "--clients", "4", "--users", "5", "--runs", "1", "--json"])
        try check(run, ["lost", "duplicate", "unexpected", "refused"], positive: ["likes answered", "request to SSE, p50"], runs: 1)
    }

    @Test func ingest() throws {
        let run = try BenchRun(["ingest", "--connections", "4", "--batch", "1,20", "--seconds", "1", "--runs", "1", "--json"])
        try check(
            run,
            [
                "acknowledged and not kept after kill -9, single events", "kept twice, single events", "refused, single events",
                "acknowledged and not kept after kill -9, batches of 20", "kept twice, batches of 20", "refused, batches of 20",
            ], positive: ["answers of the same server doing nothing", "durable, single events", "durable, batches of 20"], runs: 1)
    }

    @Test func fanout() throws {
        let run = try BenchRun(["fanout", "--connections", "20", "--messages", "5", "--runs", "1", "--alone", "--json"])
        try check(
            run, ["fsync: lost", "fsync: duplicate", "memory: lost", "memory: duplicate"],
            positive: ["fsync: deliveries", "memory: post to last stream, p50"], runs: 1)
    }

    @Test func fanoutBesideOthers() throws {
        let run = try BenchRun(["fanout", "--connections", "20", "--messages", "5", "--runs", "1", "--json"])
        try check(
            run, ["fsync: lost", "memory: duplicate"],
            positive: ["bare send(2): deliveries", "memory: deliveries as a multiple of bare send(2)"], runs: 1)
    }

    @Test func users() throws {
        let run = try BenchRun(["users", "--users", "20", "--rate", "100", "--seconds", "1", "--runs", "1", "--json"])
        try check(
            run, ["fsync: lost", "fsync: duplicate", "written: lost", "written: duplicate", "memory: lost", "memory: duplicate"],
            positive: ["fsync: flat out", "written: post to stream at 100/s, p99", "memory: flat out"], runs: 1)
    }

    @Test func resume() throws {
        let run = try BenchRun(["resume", "--records", "1000000", "--runs", "1", "--json"])
        try check(run, [], positive: ["first, without an index", "with indexes"], runs: 1)
    }

    @Test func log() throws {
        let run = try BenchRun([
            "log", "--partitions", "1,3", "--producers", "4", "--batch", "1,10", "--bytes", "200000", "--seconds", "1", "--runs", "1",
            "--alone", "--json",
        ])
        try check(
            run, ["acknowledged events lost by kill -9"],
            positive: [
                "append: 4 producers, batches of 1", "append: 1 producer, batches of 10", "append: 4 producers over 3 partitions",
                "read and decode, from page cache", "append to tail reader at 1,000/s, p99", "raw, overwritten: blocks for 1 producer, batches of 10",
            ], runs: 1)
    }

    @Test func sink() throws {
        let run = try BenchRun(["sink", "--rows", "3000", "--runs", "1", "--json"])
        try check(
            run, ["missing in SQLite", "twice in SQLite", "missing in PostgreSQL", "twice in PostgreSQL"],
            positive: ["group to SQLite", "bare sqlite3 loop", "group to PostgreSQL, of bare libpq, unnest"], runs: 1)
    }

    @Test func flowOnServers() throws {
        let run = try BenchRun([
            "flow", "--database", "postgres", "--pubsub", "redis", "--rate", "50", "--seconds", "1", "--clients", "4", "--users", "5",
            "--runs", "1", "--json",
        ])
        try check(run, ["lost", "duplicate", "unexpected", "refused"], positive: ["likes answered", "request to SSE, p99"], runs: 1)
    }

    @Test func start() throws {
        let run = try BenchRun(["start", "--bytes", "200000", "--seconds", "1", "--runs", "1", "--json"])
        try check(run, [], positive: ["start to serving, log of 0 MiB", "idle memory, resident"], runs: 1)
    }

    @Test func webhooksToManyEndpoints() throws {
        let run = try BenchRun([
            "webhooks", "--endpoints", "20", "--dead", "4", "--rate", "100", "--seconds", "1", "--runs", "1", "--json",
        ])
        try check(
            run, ["did not arrive, all live", "did not arrive, 4 dead"],
            positive: [
                "post to 16 endpoints, all live, p99", "post to 16 endpoints, 4 dead, p50", "p99, 4 dead as a multiple of all live",
                "p99, one phase of all live as a multiple of another",
            ],
            runs: 1)
    }

    @Test func aTableIsForPeople() throws {
        let run = try BenchRun(["start", "--bytes", "0", "--seconds", "1", "--runs", "1"])
        #expect(run.exitCode == 0, "\(run.errors)")
        let lines = run.output.split(separator: "\n")
        #expect(lines.first?.split(separator: " ").map(String.init) == BenchmarkReport.header)
        #expect(run.output.contains("Linux"))
    }

    @Test(arguments: [
        (["flow", "--flat-out", "--rate", "5"], "--rate and --flat-out exclude each other"),
        (["flow", "--database", "mysql"], "--database must be sqlite or postgres, found mysql"),
        (["webhooks", "--dead", "5"], "--dead needs --endpoints"),
        (["flow", "--partitions", "5"], "--partitions is no option of `bench flow`"),
        (["flwo"], "expected one of flow, ingest, fanout, users, resume, log, sink, start, webhooks, found `flwo`; did you mean `flow`?"),
        ([], "expected what to measure: flow, ingest, fanout, users, resume, log, sink, start, webhooks"),
        (["log", "--batch", "1,x"], "--batch must be numbers from 1 to 10000 with commas between them, found 1,x"),
        (["log", "--acknowledge", "never"], "--acknowledge must be fsync or written, found never"),
    ])
    func wrongUsage(_ words: [String], _ message: String) throws {
        let run = try BenchRun(words)
        #expect(run.exitCode == 2)
        #expect(run.errors.contains(message), "\(run.errors)")
    }

    /// The flow that is measured is the one that is shipped.
    @Test func theFlowIsTheShippedOne() throws {
        var root = URL(fileURLWithPath: #filePath)
        for _ in 0..<4 { root.deleteLastPathComponent() }
        let shipped = try String(contentsOf: root.appendingPathComponent("config.json"), encoding: .utf8)
        #expect(ShippedFlow.config == shipped.trimmingCharacters(in: .newlines))
    }
}
