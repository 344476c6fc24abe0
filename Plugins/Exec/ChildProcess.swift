import CLinux
import Glibc
import Martlet

/// A running process: the leader of a process group of its own, with pipes for its standard streams. It inherits no other
/// descriptor, and no signal mask. Used on one thread; ``end()`` must be called.
final class ChildProcess {
    /// How a process ended.
    enum Exit: CustomStringConvertible {
        case code(CInt)
        case signal(CInt)

        init(_ status: CInt) {
            self = status & 0x7F == 0 ? .code(status >> 8 & 0xFF) : .signal(status & 0x7F)
        }

        var description: String {
            switch self {
            case .code(let code): "exited with code \(code)"
            case .signal(let signal): "was ended by signal \(signal)"
            }
        }
    }

    let id: pid_t
    /// Our ends, not blocking; -1 once closed.
    private(set) var input: CInt
    private(set) var output: CInt
    private(set) var errors: CInt

    /// Starts the program.
    init(_ settings: ExecSettings, folder: String, environment: [String]) throws(ModuleError) {
        var pipes: [CInt] = []
        defer { for descriptor in pipes where descriptor >= 0 { Glibc.close(descriptor) } }
        for _ in 0..<3 { pipes += try Self.makePipe() }
        // What the child reads and writes; the other ends are ours.
        let childEnds = [pipes[0], pipes[3], pipes[5]]
        let ourEnds = [pipes[1], pipes[2], pipes[4]]
        for descriptor in ourEnds { _ = fcntl(descriptor, F_SETFL, O_NONBLOCK) }

        var words = settings.command.map { strdup($0) } + [nil]
        var variables = environment.map { strdup($0) } + [nil]
        defer { for text in words + variables { free(text) } }
        var child = pid_t()
        let result = clinux_spawn_leader(&child, &words, &variables, folder, childEnds)
        guard result == 0 else { throw Self.failure(result, settings, folder: folder) }
        id = child
        input = ourEnds[0]
        output = ourEnds[1]
        errors = ourEnds[2]
        pipes = childEnds
    }

    private static func makePipe() throws(ModuleError) -> [CInt] {
        var ends: [CInt] = [0, 0]
        guard ends.withUnsafeMutableBufferPointer({ pipe($0.baseAddress) }) == 0 else {
            throw .transient(
                "host.no_descriptor", "cannot make a pipe: \(String(cString: strerror(errno))); raise the limit on open files")
        }
        for end in ends {
            _ = fcntl(end, F_SETFD, FD_CLOEXEC)
        }
        return ends
    }

    private static func failure(_ number: CInt, _ settings: ExecSettings, folder: String) -> ModuleError {
        let text = "cannot start `\(settings.command[0])` in \(folder): \(String(cString: strerror(number)))"
        switch number {
        case ENOENT, ENOTDIR:
            return .blocked("exec.not_found", text + "; is it installed, and does the folder exist?")
        case EACCES, ENOEXEC, EPERM:
            return .blocked("exec.not_executable", text + "; `chmod +x` it, or name its interpreter first")
        default:
            return .transient("exec.cannot_start", text)
        }
    }

    func closeInput() {
        Self.close(&input)
    }

    func closeOutput() {
        Self.close(&output)
    }

    func closeErrors() {
        Self.close(&errors)
    }

    private static func close(_ descriptor: inout CInt) {
        if descriptor >= 0 { Glibc.close(descriptor) }
        descriptor = -1
    }

    /// To the process and all that it has started.
    func signal(_ number: CInt) {
        kill(-id, number)
    }

    /// Whether the process has ended; it stays a zombie, so that its group's number is nobody else's, until ``end()``.
    var hasEnded: Bool {
        var information = siginfo_t()
        let result = waitid(P_PID, id_t(id), &information, WEXITED | WNOHANG | WNOWAIT)
        return result == 0 && information._sifields._sigchld.si_pid == id
    }

    /// Kills what is left of the group, closes the pipes, reaps. Returns how the process ended.
    func end() -> Exit {
        signal(SIGKILL)
        closeInput()
        closeOutput()
        closeErrors()
        var status: CInt = 0
        while waitpid(id, &status, 0) < 0, errno == EINTR {}
        return Exit(status)
    }
}
