import Benchmarks

/// What `martlet bench` measures.
enum BenchKind: String, CaseIterable {
    case flow, ingest, fanout, users, resume, log, sink, start, webhooks
    /// Child processes of the others, not listed.
    case serve, send, fill
    case killLoad = "kill-load"

    static var visible: [BenchKind] { [.flow, .ingest, .fanout, .users, .resume, .log, .sink, .start, .webhooks] }

    static var listed: String { visible.map(\.rawValue).joined(separator: ", ") }

    private static let common: [CommandOption] = [
        .option("runs", "N", "How often each number is measured; 3 by default."),
        .option("seconds", "N", "Length of each measurement; 5 by default."), directory, .json,
    ]

    private static let directory = CommandOption.option(
        "directory", "DIR", "A folder on the disk to measure; $TMPDIR or /tmp by default.")
    private static let bytes = CommandOption.option(
        "bytes", "N", "log, start: size of the log that is recovered or opened; 1 GiB by default.")
    private static let batch = CommandOption.option(
        "batch", "N,…", "ingest, log: events an append or request; 1,1000 and 1,100,1000 by default.")

    private static let database = CommandOption.option(
        "database", "TYPE", "flow, sink: sqlite or postgres; sqlite, and for sink both, by default.")

    var options: [CommandOption] {
        switch self {
        case .flow:
            [
                .option("rate", "N", "flow, users, webhooks: likes, messages or events a second; 1000, 2000 and 1000 by default."),
                .flag("flat-out", "flow: as many likes as the host takes."),
                .option("clients", "N", "flow: connections that post; 64 by default."),
                .option("users", "N", "flow, users: users with a stream each; 100 and 10000 by default."), Self.database,
                .option("pubsub", "TYPE", "flow: memory or redis; memory by default."),
                .option("port", "N", "flow: measure what serves the same paths on this port of loopback, not a host."),
            ] + Self.common
        case .ingest:
            [
                .option("connections", "N", "ingest, fanout: connections; 64 and 5000 by default."), Self.batch,
            ] + Self.common
        case .fanout:
            [
                .option("connections", "N", "ingest, fanout: connections; 64 and 5000 by default."),
                .option("messages", "N", "fanout: messages; 50 by default."),
                .flag("alone", "fanout, users, log: no comparison with other programs."),
            ] + Self.common
        case .users:
            [
                .option("rate", "N", "flow, users, webhooks: likes, messages or events a second; 1000, 2000 and 1000 by default."),
                .option("users", "N", "flow, users: users with a stream each; 100 and 10000 by default."),
                .flag("alone", "fanout, users, log: no comparison with other programs."),
            ] + Self.common
        case .resume: [.option("records", "N", "resume: records in the topic; 1000000 by default.")] + Self.common
        case .log:
            [
                .option("partitions", "N,…", "log: partitions appended to; 1,16,256 by default."),
                .option("producers", "N", "log: producers of single events; 50 by default."), Self.batch,
                .option("acknowledge", "fsync|written", "log: when an append counts; fsync by default."), Self.bytes,
                .flag("alone", "fanout, users, log: no comparison with other programs."),
            ] + Self.common
        case .sink:
            [Self.database, .option("rows", "N", "sink: rows written; 400000 by default.")] + Self.common
        case .start: [Self.bytes] + Self.common
        case .webhooks:
            [
                .option("in-flight", "N", "webhooks: requests at the same time; 64 by default."),
                .option("endpoints", "N", "webhooks: many endpoints instead of one; their latency is measured."),
                .option("dead", "N", "webhooks: so many of the endpoints are dead; a tenth by default."),
                .option("rate", "N", "flow, users, webhooks: likes, messages or events a second; 1000, 2000 and 1000 by default."),
            ] + Self.common
        case .serve, .send: []
        case .killLoad: [Self.directory, .option("round", "N", "kill-load: a number that each record carries.")]
        case .fill: [Self.bytes, Self.directory, .flag("stop", "fill: stop cleanly once it is full.")]
        }
    }

    /// All options of the listed benchmarks, and those of the others behind them, each once.
    static var allOptions: [CommandOption] {
        var seen: Set<String> = []
        return allCases.flatMap(\.options).filter { seen.insert($0.name).inserted }
    }

    static var details: String {
        """
        flow    POST a like to the shipped flow, receive its notification; counts lost and duplicate ones.
        ingest  Durable publishes over HTTP, beside the same server doing nothing.
        fanout  One message to many event streams, beside bare send(2), and nginx with nchan if that is installed.
        users   A stream for each of many users and messages to one at a time, beside nginx with nchan.
        resume  One user's stream from the start of a long topic that has everybody's messages.
        log     The embedded log alone: append, read, tail, recovery; beside the bare disk, and Redis if installed.
        sink    A group that fills a table, beside a bare loop that inserts the same rows.
        start   How long a host takes to start, and its memory when idle.
        webhooks  Signed deliveries to one receiver, in order per key, each kept with its attempt; or (--endpoints) the
                latency to many of which some are dead.

        Each number is measured --runs times; the table has the least, the median and the greatest. Load generator and
        server share this machine. Exit code 1 if anything was lost or came twice.

        examples:
          martlet bench flow --rate 1000
          martlet bench flow --flat-out --seconds 10 --json
          martlet bench flow --database postgres --pubsub redis
          martlet bench log --partitions 1,16,256 --batch 1,100,1000
        """
    }
}
