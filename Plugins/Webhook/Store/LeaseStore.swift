import Martlet

/// Shares a channel's endpoints among the hosts that use the same database: each endpoint is delivered to by one host, until
/// its lease is over. Hosts take their fair share, and give back what is beyond it.
struct LeaseStore: Sendable {
    /// What a host owns.
    struct Share: Sendable {
        let owned: Set<String>
        /// Of those, what is beyond its share: to be given back once nothing of it is under way.
        let surplus: [String]
        /// Milliseconds since the epoch.
        let until: Int64
    }

    /// How long a host owns an endpoint without renewing, in milliseconds.
    let duration: Int64
    private let database: any Database
    private let channel: DataValue
    private let host: DataValue
    private let see: Statement
    private let forget: Statement
    private let countHosts: Statement
    private let read: Statement
    private let renew: Statement
    private let take: Statement
    private let release: Statement
    private let releaseAll: Statement

    init(_ database: any Database, channel: String, host: String, duration: Int64) throws(SQLProblem) {
        self.database = database
        self.duration = duration
        self.channel = .text(channel)
        self.host = .text(host)
        see = try Statement(
            """
            INSERT INTO martlet_webhook_hosts (channel, host, seen_until) VALUES (:channel, :host, :until)
            ON CONFLICT (channel, host) DO UPDATE SET seen_until = excluded.seen_until
            """, database)
        forget = try Statement(
            "DELETE FROM martlet_webhook_hosts WHERE channel = :channel AND (seen_until < :now OR host = :host)", database)
        countHosts = try Statement("SELECT COUNT(*) FROM martlet_webhook_hosts WHERE channel = :channel", database)
        read = try Statement(
            "SELECT endpoint, owner, lease_until FROM martlet_webhook_endpoints WHERE channel = :channel ORDER BY endpoint", database)
        renew = try Statement(
            "UPDATE martlet_webhook_endpoints SET lease_until = :until WHERE channel = :channel AND owner = :host", database)
        take = try Statement(
            """
            UPDATE martlet_webhook_endpoints SET owner = :host, lease_until = :until
            WHERE channel = :channel AND endpoint = :endpoint AND (owner IS NULL OR owner = :host OR lease_until < :now)
            """, database)
        release = try Statement(
            """
            UPDATE martlet_webhook_endpoints SET owner = NULL, lease_until = 0
            WHERE channel = :channel AND endpoint = :endpoint AND owner = :host
            """, database)
        releaseAll = try Statement(
            "UPDATE martlet_webhook_endpoints SET owner = NULL, lease_until = 0 WHERE channel = :channel AND owner = :host", database)
    }

    /// Renews what this host owns, gives back what it is done with, and takes its share of what nobody owns.
    ///
    /// - Parameter done: endpoints that this host has stopped delivering to.
    func tend(givingBack done: [String]) async throws -> Share {
        // Before the transaction: a lease must not be believed in for longer than others do.
        let now = Timestamp.now()
        let until = now + duration
        return try await database.transaction { [self] connection in
            try forget.run(connection, ("channel", channel), ("now", .integer(now)), ("host", host))
            try see.run(connection, ("channel", channel), ("host", host), ("until", .integer(until)))
            for endpoint in done { try release.run(connection, ("channel", channel), ("endpoint", .text(endpoint)), ("host", host)) }
            try renew.run(connection, ("until", .integer(until)), ("channel", channel), ("host", host))
            let hosts = try countHosts.run(connection, ("channel", channel)).rows.first?.first?.int64 ?? 1
            let endpoints = try read.run(connection, ("channel", channel)).rows
            var owned = endpoints.filter { $0[1] == host }.compactMap { $0[0].string }
            let share = (endpoints.count + Int(hosts) - 1) / max(1, Int(hosts))
            let free = endpoints.filter { $0[1] != host && ($0[1] == .null || ($0[2].int64 ?? 0) < now) }.compactMap { $0[0].string }
            for endpoint in free.prefix(max(0, share - owned.count)) {
                let isTaken = try take.run(
                    connection, ("host", host), ("until", .integer(until)), ("channel", channel), ("endpoint", .text(endpoint)),
                    ("now", .integer(now))).changes == 1
                if isTaken { owned.append(endpoint) }
            }
            return Share(owned: Set(owned), surplus: Array(owned.dropFirst(share)), until: until)
        }
    }

    /// Gives everything back, so that other hosts need not wait.
    func leave() async throws {
        try await database.transaction { [self] connection in
            try releaseAll.run(connection, ("channel", channel), ("host", host))
            try forget.run(connection, ("channel", channel), ("now", .integer(0)), ("host", host))
        }
    }
}
