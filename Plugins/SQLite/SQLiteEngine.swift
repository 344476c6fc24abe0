import Martlet
import Synchronization

/// An open `sqlite` database: the writer's thread, the readers' threads, and their connections.
final class SQLiteEngine: Sendable {
    /// A thread's connection, made when the thread first needs it and again after an error that spoils it.
    private final class Slot: @unchecked Sendable {
        // Unchecked: only the thread that the slot belongs to touches it.
        var connection: SQLiteConnection?
    }

    private let settings: SQLiteSettings
    private let metrics: SQLiteMetrics
    private let logger: Logger
    private let writer: BlockingThreads
    private let writerSlot: Slot
    private let readers: BlockingThreads
    private let readerSlots: [Slot]

    init(settings: SQLiteSettings, metrics: SQLiteMetrics, logger: Logger) {
        self.settings = settings
        self.metrics = metrics
        self.logger = logger
        let writerSlot = Slot()
        let readerSlots = (0..<settings.readers).map { _ in Slot() }
        self.writerSlot = writerSlot
        self.readerSlots = readerSlots
        writer = BlockingThreads(limit: settings.writeQueue) { _ in writerSlot.connection = nil }
        readers = BlockingThreads(limit: settings.readQueue) { readerSlots[$0].connection = nil }
    }

    /// Opens the file and brings its schema up to date. After a failure, ``stop()`` releases what there is.
    func open() async throws {
        try writer.start(count: 1)
        try readers.start(count: settings.readers)
        let result: Result<Int, ModuleError> = await withCheckedContinuation { continuation in
            let isQueued = writer.submit { [settings, writerSlot] _ in
                continuation.resume(
                    returning: Result { () throws(ModuleError) in
                        let connection = try SQLiteConnection(settings, role: .firstWriter)
                        writerSlot.connection = connection
                        return try SQLiteSchema(settings).update(connection)
                    })
            }
            if !isQueued { continuation.resume(returning: .failure(DatabaseError.notOpen(settings.name))) }
        }
        let steps = try result.get()
        logger.info("database open", ("database", settings.name), ("path", settings.path), ("schema_steps_run", "\(steps)"))
    }

    func transaction(
        _ body: @escaping @Sendable (any DatabaseConnection) throws -> Void,
        completion: @escaping @Sendable (Result<Void, ModuleError>) -> Void
    ) {
        let isQueued = writer.submit { [self] _ in completion(runTransaction(body)) }
        if !isQueued {
            completion(.failure(DatabaseError.overloaded(settings.name, "write_queue", settings.writeQueue)))
        }
    }

    private func runTransaction(_ body: (any DatabaseConnection) throws -> Void) -> Result<Void, ModuleError> {
        let clock = ContinuousClock()
        let start = clock.now
        do {
            let connection = try connection(in: writerSlot, role: .writer)
            defer { if connection.isSpoiled { writerSlot.connection = nil } }
            try connection.transaction(body)
            metrics.transactions.add()
            metrics.duration.record(clock.now - start)
            return .success(())
        } catch {
            metrics.failures.add()
            return .failure(error)
        }
    }

    func query(_ statement: SQLStatement, _ parameters: [DataValue], limit: Int) async throws -> QueryResult {
        let cancellation = Cancellation()
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<QueryResult, any Error>) in
                let isQueued = readers.submit { [self] thread in
                    continuation.resume(
                        with: runQuery(statement, parameters, limit: limit, cancellation, in: readerSlots[thread]))
                }
                if !isQueued {
                    continuation.resume(
                        throwing: DatabaseError.overloaded(settings.name, "read_queue", settings.readQueue))
                }
            }
        } onCancel: {
            cancellation.cancel()
        }
    }

    private func runQuery(
        _ statement: SQLStatement, _ parameters: [DataValue], limit: Int, _ cancellation: Cancellation, in slot: Slot
    ) -> Result<QueryResult, any Error> {
        guard !cancellation.isCancelled else { return .failure(CancellationError()) }
        metrics.queries.add()
        do {
            let connection = try connection(in: slot, role: .reader)
            defer { if connection.isSpoiled { slot.connection = nil } }
            return .success(try connection.query(statement, parameters, limit: limit, cancellation))
        } catch {
            return .failure(cancellation.isCancelled ? CancellationError() : error)
        }
    }

    private func connection(in slot: Slot, role: SQLiteConnection.Role) throws(ModuleError) -> SQLiteConnection {
        if let connection = slot.connection, !connection.hasLostFile { return connection }
        slot.connection = nil
        let connection = try SQLiteConnection(settings, role: role)
        slot.connection = connection
        return connection
    }

    /// Runs what is queued, closes the connections, ends the threads.
    func stop() async {
        await readers.stop()
        // Last, so that closing its connection moves the write-ahead log into the file.
        await writer.stop()
    }
}

/// Tells a running query that nobody waits for it.
final class Cancellation: Sendable {
    private let flag = Atomic<Bool>(false)

    var isCancelled: Bool { flag.load(ordering: .relaxed) }

    func cancel() {
        flag.store(true, ordering: .relaxed)
    }
}
