import Synchronization

/// An open database of any backend: the writer's thread, the readers' threads, and their connections.
package final class DatabaseEngine<Connection: BackendConnection>: Sendable {
    private let name: String
    private let limits: DatabaseLimits
    private let metrics: DatabaseMetrics
    private let connect: @Sendable (ConnectionRole) throws(ModuleError) -> Connection
    private let writer: BlockingThreads
    private let writerSlot: ConnectionSlot<Connection>
    private let readers: BlockingThreads
    private let readerSlots: [ConnectionSlot<Connection>]

    /// - Parameter connect: connects, on the thread that will use the connection.
    package init(
        name: String, limits: DatabaseLimits, metrics: DatabaseMetrics,
        connect: @escaping @Sendable (ConnectionRole) throws(ModuleError) -> Connection
    ) {
        let counted: @Sendable (ConnectionRole) throws(ModuleError) -> Connection = { role throws(ModuleError) in
            let connection = try connect(role)
            metrics.connections.add()
            return connection
        }
        let writerSlot = ConnectionSlot<Connection> { () throws(ModuleError) in try counted(.writer) }
        let readerSlots = (0..<limits.readers).map { _ in
            ConnectionSlot<Connection> { () throws(ModuleError) in try counted(.reader) }
        }
        self.name = name
        self.limits = limits
        self.metrics = metrics
        self.connect = counted
        self.writerSlot = writerSlot
        self.readerSlots = readerSlots
        writer = BlockingThreads(limit: limits.writeQueue) { _ in writerSlot.drop() }
        readers = BlockingThreads(limit: limits.readQueue) { readerSlots[$0].drop() }
    }

    /// Connects the writer and prepares the database. After a failure, ``stop()`` releases what there is.
    package func open<Value: Sendable>(
        _ prepare: @escaping @Sendable (Connection) throws(ModuleError) -> Value
    ) async throws -> Value {
        try writer.start(count: 1)
        try readers.start(count: limits.readers)
        let result: Result<Value, ModuleError> = await withCheckedContinuation { continuation in
            let isQueued = writer.submit { [connect, writerSlot] _ in
                continuation.resume(
                    returning: Result { () throws(ModuleError) in
                        let connection = try connect(.firstWriter)
                        writerSlot.adopt(connection)
                        return try prepare(connection)
                    })
            }
            if !isQueued { continuation.resume(returning: .failure(DatabaseError.notOpen(name))) }
        }
        return try result.get()
    }

    /// See ``Database/transaction(_:completion:)`` and ``Database/urgentTransaction(_:completion:)``.
    package func transaction(
        isUrgent: Bool, _ body: @escaping @Sendable (any DatabaseConnection) throws -> Void,
        completion: @escaping @Sendable (Result<Void, ModuleError>) -> Void
    ) {
        let isQueued = writer.submit(isUrgent: isUrgent) { [self] _ in completion(runTransaction(body)) }
        if !isQueued {
            completion(.failure(DatabaseError.overloaded(name, "write_queue", limits.writeQueue)))
        }
    }

    private func runTransaction(_ body: (any DatabaseConnection) throws -> Void) -> Result<Void, ModuleError> {
        let clock = ContinuousClock()
        let start = clock.now
        do {
            try begin().complete(body)
            metrics.transactions.add()
            metrics.duration.record(clock.now - start)
            return .success(())
        } catch {
            metrics.failures.add()
            return .failure(error)
        }
    }

    /// A connection may have died while it was idle; nothing has been done yet, so that a fresh one may take over.
    private func begin() throws(ModuleError) -> Connection {
        let (connection, isReused) = try writerSlot.connection()
        do {
            try connection.begin()
            return connection
        } catch {
            guard isReused, connection.isSpoiled else { throw error }
        }
        let (fresh, _) = try writerSlot.connection()
        try fresh.begin()
        return fresh
    }

    /// See ``Database/query(_:_:limit:)``.
    package func query(_ statement: SQLStatement, _ parameters: [DataValue], limit: Int) async throws -> QueryResult {
        let cancellation = Cancellation()
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<QueryResult, any Error>) in
                let isQueued = readers.submit { [self] thread in
                    continuation.resume(
                        with: runQuery(statement, parameters, limit: limit, cancellation, in: readerSlots[thread]))
                }
                if !isQueued {
                    continuation.resume(throwing: DatabaseError.overloaded(name, "read_queue", limits.readQueue))
                }
            }
        } onCancel: {
            cancellation.cancel()
        }
    }

    private func runQuery(
        _ statement: SQLStatement, _ parameters: [DataValue], limit: Int, _ cancellation: Cancellation,
        in slot: ConnectionSlot<Connection>
    ) -> Result<QueryResult, any Error> {
        guard !cancellation.isCancelled else { return .failure(CancellationError()) }
        metrics.queries.add()
        do {
            let (connection, isReused) = try slot.connection()
            do {
                return .success(try connection.query(statement, parameters, limit: limit, cancellation))
            } catch {
                // Reading again does no harm.
                guard isReused, connection.isSpoiled, !cancellation.isCancelled else { throw error }
            }
            return .success(try slot.connection().connection.query(statement, parameters, limit: limit, cancellation))
        } catch {
            return .failure(cancellation.isCancelled ? CancellationError() : error)
        }
    }

    /// Runs what is queued, closes the connections, ends the threads.
    package func stop() async {
        await readers.stop()
        // Last: closing SQLite's last connection moves its write-ahead log into the file.
        await writer.stop()
    }
}
