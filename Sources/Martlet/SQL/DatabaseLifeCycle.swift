import Synchronization

/// Whether a database is open, for any backend. It can be closed at any time and opened again.
package final class DatabaseLifeCycle<Connection: BackendConnection>: DatabaseWork {
    package typealias Engine = DatabaseEngine<Connection>

    private enum State {
        case idle
        case opening(Int)
        case open(Engine)
    }

    private let name: String
    private let state = Mutex((current: State.idle, attempts: 0))

    package init(name: String) {
        self.name = name
    }

    /// The engine while the database is open.
    private func engine() throws(ModuleError) -> Engine {
        let engine = state.withLock { state -> Engine? in
            if case .open(let engine) = state.current { engine } else { nil }
        }
        guard let engine else { throw DatabaseError.notOpen(name) }
        return engine
    }

    /// Opens the engine with `start`; if that fails or the database is closed meanwhile, the engine is stopped.
    package func open(_ engine: Engine, _ start: (Engine) async throws -> Void) async throws {
        let (attempt, earlier) = state.withLock { state -> (Int, Engine?) in
            var earlier: Engine?
            if case .open(let engine) = state.current { earlier = engine }
            state.attempts += 1
            state.current = .opening(state.attempts)
            return (state.attempts, earlier)
        }
        await earlier?.stop()
        do {
            try await start(engine)
        } catch {
            await engine.stop()
            throw error
        }
        let isWanted = state.withLock { state in
            guard case .opening(attempt) = state.current else { return false }
            state.current = .open(engine)
            return true
        }
        guard isWanted else {
            await engine.stop()
            throw ModuleError.transient("database.closed", "database `\(name)` was closed while it opened")
        }
    }

    package func transaction(
        isUrgent: Bool, _ body: @escaping @Sendable (any DatabaseConnection) throws -> Void,
        completion: @escaping @Sendable (Result<Void, ModuleError>) -> Void
    ) {
        do {
            try engine().transaction(isUrgent: isUrgent, body, completion: completion)
        } catch {
            completion(.failure(error))
        }
    }

    package func query(_ statement: SQLStatement, _ parameters: [DataValue], limit: Int) async throws -> QueryResult {
        try await engine().query(statement, parameters, limit: limit)
    }

    package func close() async {
        let engine = state.withLock { state -> Engine? in
            defer { state.current = .idle }
            if case .open(let engine) = state.current { return engine }
            return nil
        }
        await engine?.stop()
    }
}
