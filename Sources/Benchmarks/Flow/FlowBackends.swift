/// What the shipped flow runs on in a measurement.
package struct FlowBackends: Sendable {
    package enum Database: String, CaseIterable, Sendable {
        case sqlite, postgres
    }

    package enum PubSub: String, CaseIterable, Sendable {
        case memory, redis
    }

    package var database: Database
    package var pubSub: PubSub

    package init(database: Database = .sqlite, pubSub: PubSub = .memory) {
        self.database = database
        self.pubSub = pubSub
    }

    var description: String {
        let names = (database == .sqlite ? "SQLite" : "PostgreSQL", pubSub == .memory ? "the bus in the process" : "Redis")
        return "\(names.0) and \(names.1); like and event are synced"
    }

    /// Milliseconds from a like to its stream, p99 at 1,000 likes a second.
    var streamLatencyMax: Double { database == .sqlite ? 5 : 8 }

    /// Likes a second, flat out. On servers: four times what a Starlette, asyncpg and Redis Streams version was seen to do.
    var flatOutMin: Double { database == .sqlite ? 10_000 : 4 * 2_260 }
}
