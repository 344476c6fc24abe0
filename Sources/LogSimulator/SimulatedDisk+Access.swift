import EmbeddedLog
import Glibc
import Synchronization

extension SimulatedDisk {
    /// Runs an operation that leaves the disk as it is.
    func look<Result>(_ path: String, boot: Int? = nil, _ body: (State) throws(LogError) -> Result) throws(LogError) -> Result {
        try run(path, boot: boot, counts: false, body)
    }

    /// Runs an operation that changes the disk, unless the power fails at it.
    func change<Result>(
        _ path: String, _ counts: Bool, boot: Int? = nil, _ body: (State) throws(LogError) -> Result
    ) throws(LogError) -> Result {
        try run(path, boot: boot, counts: counts, body)
    }

    private func run<Result>(
        _ path: String, boot: Int?, counts: Bool, _ body: (State) throws(LogError) -> Result
    ) throws(LogError) -> Result {
        let state = state.withLock { $0 }
        var outcome = Swift.Result<Result, LogError>.failure(state.missing(path))
        self.state.withLock { _ in outcome = Self.attempt(state, path, boot: boot, counts: counts, body) }
        return try outcome.get()
    }

    private static func attempt<Result>(
        _ state: State, _ path: String, boot: Int?, counts: Bool, _ body: (State) throws(LogError) -> Result
    ) -> Swift.Result<Result, LogError> {
        do throws(LogError) {
            if let boot, boot != state.boot { throw LogError(.io, "opened before the power failure", path: path, errno: EIO) }
            if counts {
                state.changes += 1
                if let limit = state.faults.powerFailsAfter, state.changes > limit { state.powered = false }
            }
            if !state.powered { throw LogError(.io, "the power failed", path: path, errno: EIO) }
            return .success(try body(state))
        } catch {
            return .failure(error)
        }
    }
}

extension SimulatedDisk.State {
    var usedBytes: Int { root.files().reduce(0) { $0 + $1.node.content.count } }

    func node(_ path: String) throws(LogError) -> DiskNode? {
        var node: DiskNode? = root
        for part in path.split(separator: "/") { node = node?.names[String(part)] }
        return node
    }

    func parent(_ path: String) throws(LogError) -> (DiskNode, String) {
        let parts = path.split(separator: "/")
        guard let name = parts.last, let parent = try node(parts.dropLast().joined(separator: "/")) else { throw missing(path) }
        return (parent, String(name))
    }

    func missing(_ path: String) -> LogError { LogError(.io, "no such file", path: path, errno: ENOENT) }

    func failMaybe(_ perMille: Int, _ path: String, _ action: String) throws(LogError) {
        guard perMille > 0, Int.random(in: 0..<1000, using: &random) < perMille else { return }
        throw LogError(.io, "cannot \(action): simulated error", path: path, errno: EIO)
    }
}
