import Glibc
import Martlet
import Synchronization

/// The compiled copies of one program: as many as run at the same time, at most twice the machine's cores.
final class JQPool: Sendable {
    private struct State {
        var idle: [JQProgram] = []
        var made = 0
        var waiting: [CheckedContinuation<JQProgram, Never>] = []
    }

    private let source: JQSource
    private let limit: Int
    private let state = Mutex(State())

    /// Compiles the first copy, which says what is wrong with the program.
    init(_ source: JQSource) throws(JQProgram.CompileError) {
        self.source = source
        limit = 2 * max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN)))
        let first = try JQProgram(source)
        state.withLock { state in
            state.idle.append(first)
            state.made = 1
        }
    }

    /// Lends a copy to `body`, making one or waiting for one if all are in use.
    func withProgram<Result>(_ body: (JQProgram) -> Result) async throws -> Result {
        let program = try await take()
        defer { giveBack(program) }
        return body(program)
    }

    private func take() async throws -> JQProgram {
        let idle: JQProgram?? = state.withLock { state in
            if let program = state.idle.popLast() { return .some(program) }
            guard state.made < limit else { return .none }
            state.made += 1
            return .some(nil)
        }
        switch idle {
        case .some(.some(let program)): return program
        case .some(.none): return try make()
        case .none: return await wait()
        }
    }

    /// Compiles a further copy, for which `made` counts already.
    private func make() throws -> JQProgram {
        do throws(JQProgram.CompileError) {
            return try JQProgram(source)
        } catch {
            state.withLock { $0.made -= 1 }
            throw ModuleError.transient("jq.no_memory", "the jq program cannot be compiled once more: \(error.message)")
        }
    }

    private func wait() async -> JQProgram {
        await withCheckedContinuation { continuation in
            let program = state.withLock { state in
                let program = state.idle.popLast()
                if program == nil { state.waiting.append(continuation) }
                return program
            }
            if let program { continuation.resume(returning: program) }
        }
    }

    private func giveBack(_ program: JQProgram) {
        let next = state.withLock { state -> CheckedContinuation<JQProgram, Never>? in
            if state.waiting.isEmpty {
                state.idle.append(program)
                return nil
            }
            return state.waiting.removeFirst()
        }
        next?.resume(returning: program)
    }
}
