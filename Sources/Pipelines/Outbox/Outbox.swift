package import Martlet
import Synchronization

/// The transactional outbox of one database: saves with their events on one side, the log on the other.
package final class Outbox: Sendable {
    private let database: any Database
    private let log: any EventLog
    private let identity: HostIdentity
    private let lease: Duration
    private let logger: Logger
    private let table: OutboxTable
    private let idempotency: IdempotencyTable
    private let buffer = OutboxBuffer()
    private let progress = OutboxProgress()
    private let sequences = OutboxSequences()
    private let saves: SaveQueue
    private let tasks = Mutex<[Task<Void, Never>]>([])
    /// The owner whose rows this host publishes in its place.
    private let adopted = Mutex<String?>(nil)

    /// - Parameters:
    ///   - identity: names this host and its data folder, for ever; read when the outbox is opened.
    ///   - limitEvents: rows that may wait for the log.
    ///   - lease: how long a host owns its rows without renewing; after that another host publishes them.
    package init(
        database: any Database, log: any EventLog, identity: HostIdentity, limitEvents: Int,
        lease: Duration = .seconds(30), logger: Logger
    ) throws(SQLProblem) {
        self.database = database
        self.log = log
        self.identity = identity
        self.lease = lease
        self.logger = logger
        table = try OutboxTable(database: database)
        idempotency = try IdempotencyTable(database: database)
        saves = SaveQueue(
            database: database, table: table, idempotency: idempotency, identity: identity, limitEvents: limitEvents, buffer: buffer,
            progress: progress, sequences: sequences)
    }

    private var owner: String { identity.id }

    /// Events of this host in the outbox, acknowledged ones that are not deleted yet included.
    package var waiting: Int { progress.waiting }

    /// Whether events wait for the log.
    package var hasUnpublished: Bool { progress.hasUnpublished }

    /// The rows of this host and those of others, as the database has them. Rows that the log has acknowledged are deleted
    /// first, even if no request comes that would do it.
    package func count() async throws -> (own: Int, others: Int) {
        saves.removeAcknowledged()
        return try await database.transaction { [self] connection in
            let own = try table.count(owner: owner, connection)
            return (own, try table.count(connection) - own)
        }
    }

    /// Makes the tables, takes the next epoch, and starts to publish what waits. The database is open.
    package func open() async throws {
        let producerID = Int64.random(in: 1...Int64.max)
        let opened = try await database.transaction { [self] connection in
            try table.create(connection)
            try idempotency.create(connection)
            let claim = try table.claim(
                owner: owner, producerID: producerID, leaseUntil: leaseEnd(), connection)
            return (claim, try table.count(owner: owner, connection))
        }
        sequences.begin(producerID: opened.0.producerID, epoch: opened.0.epoch)
        progress.opened(waiting: opened.1, before: sequences.upcoming)
        saves.open()
        let publisher = publisher(owner: owner, producerID: opened.0.producerID, buffer: buffer, progress: progress)
        let publishing = Task { await publisher.run() }
        let renewing = Task { await everyThirdOfLease("renew the outbox lease") { try await renew() } }
        let adopting = Task { await everyThirdOfLease("look for outboxes of hosts that are gone") { try await adopt() } }
        tasks.withLock { $0 = [publishing, renewing, adopting] }
    }

    /// Queues a save; its answer comes after the commit.
    package func submit(_ request: SaveRequest) {
        saves.submit(request)
    }

    /// Answers what was taken, then stops publishing. What waits is published after the next start; what the log has is
    /// removed, since not every log would know it again.
    package func close() async {
        await saves.close()
        buffer.close()
        let running = tasks.withLock { tasks in
            defer { tasks = [] }
            return tasks
        }
        for task in running { task.cancel() }
        for task in running { await task.value }
        await removeAcknowledged()
    }

    private func removeAcknowledged() async {
        guard let through = progress.removable else { return }
        do {
            let count = try await database.transaction { [self] connection in
                try table.remove(owner: owner, through: through, connection)
            }
            progress.removed(through: through, count: count)
        } catch {
            logger.warning("cannot remove what the log has from the outbox: \(error); it is published again after the next start")
        }
    }

    private func publisher(
        owner: String, producerID: Int64, buffer: OutboxBuffer, progress: OutboxProgress
    ) -> OutboxPublisher {
        OutboxPublisher(
            database: database, table: table, log: log, buffer: buffer, progress: progress, owner: owner,
            producerID: producerID, onIdle: { [weak self] in self?.cleanUpWhenIdle() }, logger: logger)
    }

    /// Under load each save's transaction removes acknowledged rows; the last ones of a burst are removed here.
    private func cleanUpWhenIdle() {
        guard progress.removable != nil else { return }
        Task { [weak self] in
            try? await Task.sleep(for: .milliseconds(500))
            self?.saves.removeAcknowledged()
        }
    }

    // MARK: Leases: several hosts may share a database; rows of a host that is gone are published by another.

    private func leaseEnd() -> Int64 {
        Timestamp.now() + lease.components.seconds * 1000
    }

    /// What fails is tried again at the next turn.
    private func everyThirdOfLease(_ what: String, _ body: () async throws -> Void) async {
        while !Task.isCancelled {
            do {
                try await Task.sleep(for: lease / 3)
                try await body()
            } catch is CancellationError {
                return
            } catch {
                logger.warning("cannot \(what): \(error); trying again")
            }
        }
    }

    /// The lease of the outbox that is being adopted, too: the log may be away for longer than a lease.
    private func renew() async throws {
        let owners = [owner] + (adopted.withLock { $0 }.map { [$0] } ?? [])
        try await database.transaction { [self] connection in
            for owner in owners { try table.renew(owner: owner, leaseUntil: leaseEnd(), connection) }
            try idempotency.expire(connection)
        }
    }

    /// One after the other. A host that was only slow may publish the same rows meanwhile: the log keeps each once.
    private func adopt() async throws {
        let abandoned = try await database.transaction { [self] connection in
            try table.abandonedOwners(besides: owner, now: Timestamp.now(), connection)
        }
        for other in abandoned {
            let isOurs = try await database.transaction { [self] connection in
                try table.takeLease(of: other, until: leaseEnd(), connection)
            }
            guard isOurs else { continue }
            logger.info("publishing the outbox of a host that is gone", ("owner", other.name))
            adopted.withLock { $0 = other.name }
            defer { adopted.withLock { $0 = nil } }
            try await publishAbandoned(other)
        }
    }

    private func publishAbandoned(_ other: OutboxTable.AbandonedOwner) async throws {
        let buffer = OutboxBuffer()
        let progress = OutboxProgress()
        // Closed from the start: the publisher ends when it has read everything.
        buffer.close()
        await publisher(owner: other.name, producerID: other.producerID, buffer: buffer, progress: progress).run()
        guard let through = progress.removable else { return }
        _ = try await database.transaction { [self] connection in
            try table.remove(owner: other.name, through: through, connection)
        }
    }
}
