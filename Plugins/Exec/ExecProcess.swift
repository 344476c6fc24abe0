import CLinux
import Glibc
import Martlet
import Synchronization

/// Keeps one process running on a thread of its own: starts it, greets it, carries messages, starts it again when it ends.
///
/// 1. ``open()`` returns once the process has answered the greeting, or throws why it did not.
/// 2. From then on a process that ends is started again after a growing wait. The dialogue hears of both.
/// 3. ``close()`` closes the process's input, waits, sends SIGTERM, waits, kills the whole process group, and reaps.
final class ExecProcess: Sendable {
    private struct State {
        var opening: CheckedContinuation<Void, any Error>?
        var isStopping = false
    }

    /// What the host's own environment lends to processes.
    private static let inherited = [
        "PATH", "HOME", "USER", "TMPDIR", "TZ", "LANG", "LC_ALL", "LC_COLLATE", "LC_CTYPE", "LC_MESSAGES", "LC_MONETARY",
        "LC_NUMERIC", "LC_TIME",
    ]

    let settings: ExecSettings
    let dialogue: any ExecDialogue
    let reader: any PayloadReader
    let logger: Logger
    let droppedLines: Counter
    private let name: String
    private let folder: String
    private let restarts: Counter
    private let threads = BlockingThreads(limit: 1) { _ in }
    private let wakeUp: WakePipe
    private let state = Mutex(State())

    init(_ settings: ExecSettings, dialogue: any ExecDialogue, services: ExecServices) throws(ModuleError) {
        self.settings = settings
        self.dialogue = dialogue
        reader = services.reader
        logger = services.logger.with("process", settings.command[0])
        name = services.name
        folder = settings.workingDirectory ?? services.folder
        restarts = services.restarts
        droppedLines = services.droppedLines
        wakeUp = try WakePipe()
    }

    /// Starts the process and waits for its answer to the greeting.
    func open() async throws {
        try threads.start(count: 1)
        try await withCheckedThrowingContinuation { continuation in
            state.withLock { $0.opening = continuation }
            if !threads.submit({ [self] _ in run() }) { settleOpening(.failure(ExecFailure.closed)) }
        }
    }

    /// There is something to do for the thread.
    func wake() {
        wakeUp.signal()
    }

    /// Ends the process; returns when it is reaped.
    func close() async {
        state.withLock { $0.isStopping = true }
        wakeUp.signal()
        await threads.stop()
    }

    // MARK: On the thread

    var isStopping: Bool { state.withLock { $0.isStopping } }
    var wakeDescriptor: CInt { wakeUp.reading }

    func clearWakeUp() {
        wakeUp.clear()
    }

    /// Starts a process.
    func spawn() throws(ModuleError) -> ChildProcess {
        var environment: [String] = []
        for name in Self.inherited where !settings.environment.contains(where: { $0.name == name }) {
            if let value = getenv(name) { environment.append("\(name)=\(String(cString: value))") }
        }
        environment += settings.environment.map { "\($0.name)=\($0.value)" }
        return try ChildProcess(settings, folder: folder.isEmpty ? "." : folder, environment: environment)
    }

    /// The first line that a process gets.
    var greeting: [UInt8] {
        var line = Array(#"{"type":"hello","protocol":"#.utf8)
        line += "\(ExecGreeting.version),\"kind\":\"\(dialogue.kind)\",\"name\":".utf8
        JSONText.appendQuoted(name, to: &line)
        line += ",\"max_line_bytes\":\(settings.maxLineBytes),\"options\":\(settings.options)}".utf8
        return line
    }

    /// The process has answered the greeting.
    func hasStarted() {
        settleOpening(.success(()))
    }

    private func run() {
        blockBrokenPipeSignal()
        keepRunning()
        dialogue.stop()
        dialogue.end(ExecFailure.closed)
        settleOpening(.failure(ExecFailure.closed))
    }

    /// Returns when the keeper is to stop, or the first process could not be started.
    private func keepRunning() {
        var wait = Duration.milliseconds(100)
        var isFirst = true
        while !isStopping {
            var session = ExecSession(self)
            let ending = session.run()
            dialogue.end(ending.error)
            // Whoever opens tries again, with its own wait.
            if isFirst, !ending.hadStarted { return settleOpening(.failure(ending.error)) }
            isFirst = false
            if isStopping { return }
            if ending.hadStarted, ending.lifetime > settings.restartMaximum { wait = .milliseconds(100) }
            logger.warning("\(ending.error.message); starting it again in \(wait)", ("code", ending.error.code))
            restarts.add()
            pause(for: wait)
            wait = min(wait * 2, settings.restartMaximum)
        }
    }

    private func pause(for wait: Duration) {
        let end = ContinuousClock.now + wait
        while !isStopping {
            let left = (end - .now).wholeMilliseconds
            guard left > 0 else { return }
            var entry = pollfd(fd: wakeDescriptor, events: Int16(POLLIN), revents: 0)
            _ = poll(&entry, 1, left)
            clearWakeUp()
        }
    }

    private func settleOpening(_ result: Result<Void, any Error>) {
        let opening = state.withLock { state in
            defer { state.opening = nil }
            return state.opening
        }
        opening?.resume(with: result)
    }

    private func blockBrokenPipeSignal() {
        var signals = sigset_t()
        sigemptyset(&signals)
        sigaddset(&signals, SIGPIPE)
        pthread_sigmask(SIG_BLOCK, &signals, nil)
    }
}

/// What the host lends to a process's keeper.
struct ExecServices {
    let name: String
    let folder: String
    let reader: any PayloadReader
    let logger: Logger
    let restarts: Counter
    let droppedLines: Counter

    init(_ context: ModuleContext, kind: String) {
        name = context.name
        folder = context.path(".")
        reader = context.payloads
        logger = context.logger
        let labels = [("module", context.name), ("kind", kind)]
        restarts = context.metrics.counter(
            "martlet_exec_restarts_total", "Processes started again after one ended.", labels: labels)
        droppedLines = context.metrics.counter(
            "martlet_exec_dropped_log_lines_total", "Lines of standard error that were too many for the log.", labels: labels)
    }
}

extension Duration {
    /// For poll(2): at least 1 if there is anything left.
    var wholeMilliseconds: CInt {
        let (seconds, attoseconds) = components
        guard self > .zero else { return 0 }
        return CInt(clamping: seconds * 1000 + attoseconds / 1_000_000_000_000_000 + 1)
    }
}
