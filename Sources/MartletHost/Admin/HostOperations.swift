import Martlet
import Pipelines

/// Reloads and stops a host, one after the other, whoever asks: a signal or the admin API.
actor HostOperations {
    /// Reloads that may wait for the one under way.
    static let queueLimit = 8

    private let host: Host
    private var last = Task<Void, Never> {}
    private var waiting = 0

    init(_ host: Host) {
        self.host = host
    }

    /// Reads the config file again; what is wrong with it is returned, and then the running config stays.
    ///
    /// - Throws: ``HostError`` if the host stops, or too many reloads wait.
    func reload() async throws(HostError) -> ConfigProblems {
        guard waiting < Self.queueLimit else {
            throw HostError("\(waiting) reloads are waiting already; try again when they are done")
        }
        waiting += 1
        defer { waiting -= 1 }
        let problems = await enqueue { [host] in host.phase == .running ? await host.reload() : nil }
        guard let problems else { throw HostError("the host does not run (any more), so it cannot be reloaded") }
        return problems
    }

    /// See ``Host/stop()``.
    func stop() async {
        await enqueue { [host] in await host.stop() }
    }

    private func enqueue<Value: Sendable>(_ body: @escaping @Sendable () async -> Value) async -> Value {
        let previous = last
        let task = Task {
            await previous.value
            return await body()
        }
        last = Task { _ = await task.value }
        return await task.value
    }
}
