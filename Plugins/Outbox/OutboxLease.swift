import Martlet
import Synchronization

/// Which of several sources on one table, mostly of several hosts, reads it: one at a time, so that rows keep their order.
///
///     martlet_leases   name │ holder, lease_until (ms since the epoch, by the holder's clock)
///
/// The holder renews it every third of its length, gives it back when it closes, and gets it again at once after a crash;
/// another one follows when it is over. The holder believes in two thirds of it: the rest is for clocks that disagree.
final class OutboxLease: Sendable {
    private static let seconds = 15
    private static let table = "martlet_leases"

    private let database: any Database
    private let name: String
    private let holder: @Sendable () -> String
    private let logger: Logger
    private let heldUntil = Mutex<ContinuousClock.Instant?>(nil)

    /// - Parameters:
    ///   - name: what is leased.
    ///   - holder: a name that lasts over restarts; asked once the source is opened.
    init(_ database: any Database, name: String, holder: @escaping @Sendable () -> String, logger: Logger) {
        self.database = database
        self.name = name
        self.holder = holder
        self.logger = logger
    }

    var isHeld: Bool {
        heldUntil.withLock { until in until.map { ContinuousClock.now < $0 } ?? false }
    }

    /// How long somebody else may have it before it is worth asking again.
    var pause: Duration { .seconds(Self.seconds) / 3 }

    /// Makes the table, if it is not there: only then must the database's user be allowed to.
    func open() async throws {
        guard try await database.columns(of: Self.table) == nil else { return }
        let create = try OutboxRows.prepare(
            "CREATE TABLE IF NOT EXISTS \(Self.table) (name TEXT PRIMARY KEY, holder TEXT NOT NULL, lease_until BIGINT NOT NULL)", database)
        try await database.transaction { _ = try $0.execute(create, []) }
    }

    /// Takes the lease, or renews it, again and again until the task is cancelled.
    ///
    /// - Parameter whenTaken: called when the lease was not held, and now is.
    func keep(whenTaken: @Sendable () -> Void) async throws {
        var failures = 0
        var isWaiting = false
        while true {
            let wasHeld = isHeld
            do {
                if try await take() {
                    if !wasHeld { whenTaken() }
                    isWaiting = false
                } else if !isWaiting {
                    isWaiting = true
                    logger.info("another host reads the table; this one waits for its turn", ("lease", name))
                }
                failures = 0
            } catch {
                // It goes on for as long as it lasts.
                failures += 1
                if failures & (failures - 1) == 0 { logger.warning("cannot renew the lease: \(error); trying again", ("lease", name)) }
            }
            try await Task.sleep(for: failures > 0 ? .seconds(1) : pause)
        }
    }

    private func take() async throws -> Bool {
        let statement = try OutboxRows.prepare(
            """
            INSERT INTO \(Self.table) (name, holder, lease_until) VALUES (:name, :holder, :until)
            ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, lease_until = excluded.lease_until
            WHERE \(Self.table).holder = excluded.holder OR \(Self.table).lease_until < :now
            """, database)
        let (asked, now) = (ContinuousClock.now, Timestamp.now())
        let values: [String: DataValue] = [
            "name": .text(name), "holder": .text(holder()), "until": .integer(now + Int64(Self.seconds) * 1_000), "now": .integer(now),
        ]
        let isOurs = try await database.transaction { connection in
            try connection.execute(statement, statement.parameterNames.map { values[$0] ?? .null }).changes == 1
        }
        heldUntil.withLock { $0 = isOurs ? asked + .seconds(Self.seconds) * 2 / 3 : nil }
        return isOurs
    }

    /// Lets another one have it. If the database does not answer, it is over soon.
    func giveBack() async {
        guard isHeld else { return }
        heldUntil.withLock { $0 = nil }
        do {
            let delete = try OutboxRows.prepare("DELETE FROM \(Self.table) WHERE name = :name AND holder = :holder", database)
            let values: [String: DataValue] = ["name": .text(name), "holder": .text(holder())]
            try await database.transaction { connection in
                _ = try connection.execute(delete, delete.parameterNames.map { values[$0] ?? .null })
            }
        } catch {
            logger.info("the lease was not given back: \(error)", ("lease", name))
        }
    }
}
