import Foundation
import TestSupport
import Testing

/// The shipped flow on one PostgreSQL and one Redis over several hosts, under load, and what must be so after a fault.
final class LoadedCluster {
    static let owners = (0..<6).map { "owner-\($0)" }

    let cluster: Cluster
    let load = LikeLoad(owners: owners)
    /// One for each owner, spread over the hosts.
    private(set) var streams: [StreamClient] = []

    init(_ count: Int = 2, postgreSQL: Server? = nil, edit: (Int, inout TestConfig) -> Void = { _, _ in }) async throws {
        cluster = try Cluster(count, .servers, postgreSQL: postgreSQL, edit: edit)
        try await cluster.start()
        for (index, owner) in Self.owners.enumerated() {
            let stream = try await cluster[index % count].openStream(of: owner)
            streams.append(stream)
        }
    }

    var database: Server {
        get throws {
            guard let server = cluster.postgreSQL else { throw TestFailure("the cluster has no PostgreSQL") }
            return server
        }
    }

    /// Starts the load and returns when it has come into its stride.
    func startLoad(clients: Int = 6) async throws {
        load.start(clients, to: cluster.hosts.compactMap { $0?.address })
        try await load.waitForMore(100)
    }

    /// Ends the load, waits until everything has drained, and compares: each like saved once, its notification stored
    /// once and delivered once.
    ///
    /// - Parameter other: where the database is by now, if not at its first place.
    func settle(in other: PSQL? = nil) async throws {
        let database = try other ?? database.sql
        try await load.stop()
        #expect(load.wrongAnswers.isEmpty, "\(load.wrongAnswers.prefix(5))")
        let likes = load.acknowledged
        let names = likes.map(\.name).sorted()
        #expect(try await database.rows("SELECT post_id || '/' || actor FROM likes").sorted() == names)
        try await eventually("an empty outbox: \(cluster[0].log.suffix(2_000))") {
            try await database.count("SELECT count(*) FROM martlet_outbox") == 0
        }
        try await eventually("all rows; \(load.summary)") {
            try await database.count("SELECT count(*) FROM notifications") >= likes.count
        }
        let rows = try await database.rows("SELECT recipient || ' ' || text FROM notifications")
        #expect(rows.sorted() == likes.map { "\($0.owner) \($0.text)" }.sorted())
        for (owner, stream) in zip(Self.owners, streams) {
            let expected = likes.filter { $0.owner == owner }.map(\.text).sorted()
            let messages = try await stream.waitForMessages(expected.count)
            #expect(messages.compactMap { $0.text("text") }.sorted() == expected, "the stream of \(owner)")
        }
    }
}
