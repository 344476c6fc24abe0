import Glibc
import Martlet

/// The life of one process, from its start to its end, on the keeper's thread.
struct ExecSession {
    /// Why a process is gone.
    struct Ending {
        let error: ModuleError
        /// Whether it had answered the greeting.
        let hadStarted: Bool
        let lifetime: Duration
    }

    /// How far the end has come.
    private enum Stopping {
        case no
        /// Something is still to be answered; until then at most.
        case finishing(ContinuousClock.Instant)
        case inputClosed(ContinuousClock.Instant)
        case terminated(ContinuousClock.Instant)
    }

    /// How often an end is looked for that no pipe has told of, since a child of the process holds them open.
    private static let lookInterval: CInt = 500
    /// The same once its output is closed, as it is shortly before it ends.
    private static let endingInterval: CInt = 5
    /// How long it may go on with its output closed.
    private static let silenceLimit = Duration.seconds(1)

    private let keeper: ExecProcess
    private let began = ContinuousClock.now
    private var hasStarted = false
    private var stopping = Stopping.no
    private var lines: LineBuffer
    private var errorLines: ErrorLines
    private var outgoing: [UInt8] = []
    private var written = 0
    private var outputClosed: ContinuousClock.Instant?

    init(_ keeper: ExecProcess) {
        self.keeper = keeper
        lines = LineBuffer(limit: keeper.settings.maxLineBytes, overflow: .refuse)
        errorLines = ErrorLines(logger: keeper.logger, dropped: keeper.droppedLines)
    }

    mutating func run() -> Ending {
        let process: ChildProcess
        do throws(ModuleError) {
            process = try keeper.spawn()
        } catch {
            return ending(error)
        }
        outgoing = keeper.greeting + [UInt8(ascii: "\n")]
        var failure: ModuleError?
        do throws(ModuleError) {
            try serve(process)
        } catch {
            failure = error
        }
        drainErrors(process)
        let exit = process.end()
        errorLines.finish()
        if let failure { return ending(failure) }
        let when = hasStarted ? "" : " before it answered the greeting"
        return ending(.transient("exec.ended", "the process \(exit)\(when)"))
    }

    private func ending(_ error: ModuleError) -> Ending {
        Ending(error: error, hadStarted: hasStarted, lifetime: .now - began)
    }

    /// Returns when the process has ended, by itself or because it was told to.
    private mutating func serve(_ process: ChildProcess) throws(ModuleError) {
        while true {
            let now = ContinuousClock.now
            stop(process, now)
            if hasStarted, written == outgoing.count {
                outgoing.removeAll(keepingCapacity: true)
                written = 0
                for line in keeper.dialogue.takeOutgoing(at: now) { outgoing += line + [UInt8(ascii: "\n")] }
            }
            try checkDeadline(now)
            try wait(process, at: now)
            if process.hasEnded {
                // What it wrote before it ended still counts.
                while process.output >= 0, try readOutput(process) {}
                return
            }
        }
    }

    // MARK: Streams

    private mutating func wait(_ process: ChildProcess, at now: ContinuousClock.Instant) throws(ModuleError) {
        let isReading = process.output >= 0 && (!hasStarted || keeper.dialogue.wantsMessages(at: now) || isStopping)
        var entries = [
            pollfd(fd: keeper.wakeDescriptor, events: Int16(POLLIN), revents: 0),
            pollfd(fd: isReading ? process.output : -1, events: Int16(POLLIN), revents: 0),
            pollfd(fd: process.errors, events: Int16(POLLIN), revents: 0),
            pollfd(fd: written < outgoing.count ? process.input : -1, events: Int16(POLLOUT), revents: 0),
        ]
        let interval = process.output < 0 ? Self.endingInterval : Self.lookInterval
        let next = deadline.map { ($0 - now).wholeMilliseconds } ?? interval
        _ = poll(&entries, nfds_t(entries.count), min(interval, next))
        if entries[0].revents != 0 { keeper.clearWakeUp() }
        if entries[2].revents != 0, !errorLines.read(process.errors) { process.closeErrors() }
        if entries[1].revents != 0 { _ = try readOutput(process) }
        if entries[3].revents != 0 { write(process) }
    }

    /// Whether there may be more at once.
    private mutating func readOutput(_ process: ChildProcess) throws(ModuleError) -> Bool {
        var messages: [Bytes] = []
        let reading: LineBuffer.Reading?
        do {
            reading = try lines.read(process.output) { messages.append($0) }
        } catch {
            throw ExecFailure.badOutput(
                "wrote a line of more than \(keeper.settings.maxLineBytes) bytes (`max_line_bytes`)")
        }
        for message in messages where !message.isEmpty { try receive(ExecMessage(message, keeper.reader)) }
        if case .ended = reading {
            process.closeOutput()
            outputClosed = .now
        }
        return reading == nil
    }

    private mutating func receive(_ message: ExecMessage) throws(ModuleError) {
        if hasStarted { return try keeper.dialogue.receive(message) }
        keeper.dialogue.start(try message.greeting(keeper.reader))
        hasStarted = true
        keeper.hasStarted()
    }

    private mutating func write(_ process: ChildProcess) {
        let count = outgoing.withUnsafeBytes { bytes in
            Glibc.write(process.input, bytes.baseAddress.map { $0 + written }, bytes.count - written)
        }
        if count > 0 {
            written += count
        } else if errno != EAGAIN, errno != EINTR {
            // It has closed its input: it will end, or be too slow.
            process.closeInput()
            outgoing = []
            written = 0
        }
    }

    private mutating func drainErrors(_ process: ChildProcess) {
        for _ in 0..<16 where process.errors >= 0 {
            var entry = pollfd(fd: process.errors, events: Int16(POLLIN), revents: 0)
            guard poll(&entry, 1, 0) > 0, errorLines.read(process.errors) else { return }
        }
    }

    // MARK: Times

    private var isStopping: Bool {
        if case .no = stopping { false } else { true }
    }

    private var deadline: ContinuousClock.Instant? {
        let own: ContinuousClock.Instant? =
            switch stopping {
            case .no: hasStarted ? nil : began + keeper.settings.startTimeout
            case .finishing(let time), .inputClosed(let time), .terminated(let time): time
            }
        let dialogue = hasStarted ? keeper.dialogue.deadline : nil
        return own.map { own in dialogue.map { min($0, own) } ?? own } ?? dialogue
    }

    private func checkDeadline(_ now: ContinuousClock.Instant) throws(ModuleError) {
        if !hasStarted, now >= began + keeper.settings.startTimeout {
            throw .transient(
                "exec.start_timeout",
                "the process has not answered the greeting within \(keeper.settings.startTimeout) (`start_timeout_ms`); it must "
                    + "read a line from standard input, write one with \"type\": \"ready\", and flush")
        }
        if let outputClosed, !isStopping, now - outputClosed > Self.silenceLimit {
            throw .transient("exec.ended", "the process has closed its standard output, and is killed")
        }
        if hasStarted, let deadline = keeper.dialogue.deadline, now >= deadline {
            throw .transient("exec.timeout", "the process has not answered a batch in time (`batch_timeout_ms`), and is killed")
        }
    }

    /// One step after the other: finish, close its input, SIGTERM; after that it is killed.
    private mutating func stop(_ process: ChildProcess, _ now: ContinuousClock.Instant) {
        let grace = keeper.settings.stopTimeout
        switch stopping {
        case .no:
            guard keeper.isStopping else { return }
            keeper.dialogue.stop()
            stopping = .finishing(now + grace)
            stop(process, now)
        case .finishing(let end):
            guard !(hasStarted && (keeper.dialogue.isBusy || written < outgoing.count)) || now >= end else { return }
            process.closeInput()
            stopping = .inputClosed(now + grace)
        case .inputClosed(let end):
            guard now >= end else { return }
            keeper.logger.warning("the process goes on \(grace) after its input was closed; sending SIGTERM")
            process.signal(SIGTERM)
            stopping = .terminated(now + grace)
        case .terminated(let end):
            guard now >= end else { return }
            keeper.logger.warning("the process goes on \(grace) after SIGTERM; killing it")
            process.signal(SIGKILL)
            stopping = .terminated(now + .seconds(3600))
        }
    }
}
