import Martlet
import Synchronization

/// How long a contract waits for a module before it says that the module hangs.
struct Patience: Sendable {
    let limit: Duration

    /// Runs work and gives up waiting at the limit: what hangs is cancelled and left behind, so that the suite can tell.
    ///
    /// - Throws: a violation of the promise if the work does not end in time, else what the work throws.
    func run<Value: Sendable>(
        _ what: String, _ promise: Promise, _ work: @escaping @Sendable () async throws -> Value
    ) async throws -> Value {
        let race = Race<Value>()
        let working = Task {
            do {
                race.end(.success(try await work()))
            } catch {
                race.end(.failure(error))
            }
        }
        let clock = Task { [limit] in
            try? await Task.sleep(for: limit)
            if race.end(.failure(ContractViolation(promise.text, "\(what) did not end within \(limit)"))) { working.cancel() }
        }
        defer { clock.cancel() }
        return try await withTaskCancellationHandler {
            try await race.value()
        } onCancel: {
            working.cancel()
        }
    }

    /// Opens a module whose outside is away: it may fail, but not for good, and is then closed twice.
    func runAway(
        _ promise: Promise, open: @escaping @Sendable () async throws -> Void, close: @escaping @Sendable () async -> Void
    ) async throws {
        try await run("open while the outside is away, then close twice", promise) {
            do {
                try await open()
            } catch let error as ModuleError {
                try promise.require(error.kind != .permanent, "the error of an outside that is away is permanent: \(error)")
            }
            await close()
            await close()
        }
    }

    /// Waits for a condition; a violation at the limit.
    func until(
        _ what: @autoclosure () -> String, _ promise: Promise, _ condition: () async throws -> Bool
    ) async throws {
        let deadline = ContinuousClock.now + limit
        while try await !condition() {
            if ContinuousClock.now > deadline { throw ContractViolation(promise.text, "not within \(limit): \(what())") }
            // A pause between looks, not a wait for anything.
            try await Task.sleep(for: .milliseconds(1))
        }
    }

    /// Runs work in a task that is cancelled from the start: it must end, in whatever way.
    func runCancelled(_ what: String, _ promise: Promise, _ work: @escaping @Sendable () async throws -> Void) async throws {
        _ = try await run(what, promise) {
            let task = Task {
                while !Task.isCancelled { await Task.yield() }
                try await work()
            }
            task.cancel()
            _ = await task.result
        }
    }
}

/// The first of several ends counts.
private final class Race<Value: Sendable>: Sendable {
    private struct State {
        var result: Result<Value, any Error>?
        var waiting: CheckedContinuation<Value, any Error>?
    }

    private let state = Mutex(State())

    @discardableResult
    func end(_ result: Result<Value, any Error>) -> Bool {
        let (isFirst, waiting) = state.withLock { state -> (Bool, CheckedContinuation<Value, any Error>?) in
            guard state.result == nil else { return (false, nil) }
            state.result = result
            defer { state.waiting = nil }
            return (true, state.waiting)
        }
        waiting?.resume(with: result)
        return isFirst
    }

    func value() async throws -> Value {
        try await withCheckedThrowingContinuation { continuation in
            let result = state.withLock { state in
                if state.result == nil { state.waiting = continuation }
                return state.result
            }
            if let result { continuation.resume(with: result) }
        }
    }
}
