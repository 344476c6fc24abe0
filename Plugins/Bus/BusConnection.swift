import Glibc
import Martlet

/// One client's socket with its session. Belongs to the listener's thread.
final class BusConnection {
    /// Why a connection ends before its client has closed it.
    enum End {
        case isSlow
        /// Its client, or the system, has ended it.
        case isGone
        /// It has not logged in, or not read our last words, in time.
        case tookTooLong
        /// After what is queued has been sent.
        case hasSaidGoodbye
    }

    let descriptor: CInt
    let number: Int
    var session: BusSession
    /// The session's, where it can be read while the session is at work: a client may get what it publishes itself.
    private(set) var version = 2
    private var parser: RequestParser
    private var output = OutputQueue()
    private let outputLimit: Int
    /// By when it must have logged in, or read our last words, on the monotonic clock in seconds.
    private var deadline: Int?
    private let messageLimits: RequestParser.Limits
    private(set) var end: End?
    /// Whether bytes are queued that the socket has not refused yet.
    private(set) var isDirty = false

    init(_ descriptor: CInt, number: Int, _ settings: BusListenerSettings, now: Int) {
        self.descriptor = descriptor
        self.number = number
        session = BusSession(number: number, password: settings.password)
        outputLimit = settings.maxQueuedBytes
        messageLimits = RequestParser.Limits(
            words: 1_024, wordBytes: settings.maxMessageBytes, requestBytes: settings.maxMessageBytes + 65_536)
        parser = RequestParser(limits: session.isAuthenticated ? messageLimits : .beforeLogin)
        if !session.isAuthenticated { deadline = now + BusServer.patienceSeconds }
    }

    deinit {
        close(descriptor)
    }

    /// Whether it can be taken away.
    var isOver: Bool {
        switch end {
        case nil: false
        case .hasSaidGoodbye: output.count == 0
        default: true
        }
    }

    /// What poll(2) should look for.
    var pollEntry: pollfd {
        let events = (end == nil ? CInt(POLLIN) : 0) | (output.count > 0 ? CInt(POLLOUT) : 0)
        return pollfd(fd: descriptor, events: Int16(events), revents: 0)
    }

    /// Whether it is to be looked at every second.
    var hasDeadline: Bool { deadline != nil || end == .hasSaidGoodbye }

    func checkDeadline(_ now: Int) {
        if let deadline, deadline <= now { finish(.tookTooLong) }
        if end == .hasSaidGoodbye, deadline == nil { deadline = now + BusServer.patienceSeconds }
    }

    /// Ends it; the first reason counts.
    func finish(_ reason: End) {
        if end == nil || end == .hasSaidGoodbye { end = reason }
    }

    // MARK: Input

    /// Reads once and does what is asked. Returns whether there may be more to read.
    func read(into scratch: UnsafeMutableRawBufferPointer, _ hub: some SessionHub) -> Bool {
        let count = recv(descriptor, scratch.baseAddress, scratch.count, CInt(MSG_DONTWAIT))
        guard count > 0 else {
            if count == 0 || (errno != EAGAIN && errno != EINTR) { finish(.isGone) }
            return false
        }
        parser.append(UnsafeRawBufferPointer(rebasing: scratch[..<count]))
        answer(hub)
        return count == scratch.count && end == nil
    }

    private func answer(_ hub: some SessionHub) {
        do throws(RequestParser.Malformed) {
            while end == nil, let request = try parser.next() {
                if session.handle(request, hub) == .ends { finish(.hasSaidGoodbye) }
                version = session.replies.version
                if session.isAuthenticated {
                    deadline = nil
                    parser.limits = messageLimits
                }
                enqueue(session.replies.take())
            }
        } catch {
            session.replies.error("ERR Protocol error: \(error.message)")
            enqueue(session.replies.take())
            finish(.hasSaidGoodbye)
        }
    }

    // MARK: Output

    private func enqueue(_ bytes: [UInt8]) {
        guard !bytes.isEmpty, makeRoom(for: bytes.count) else { return }
        output.append(bytes)
        isDirty = true
    }

    /// Queues bytes that are shared with other clients.
    func enqueue(_ bytes: Bytes) {
        guard makeRoom(for: bytes.count) else { return }
        output.append(bytes)
        isDirty = true
    }

    /// Cuts a client off that leaves too much unread. One piece fits always, however large it is.
    private func makeRoom(for count: Int) -> Bool {
        if output.count > 0, output.count + count > outputLimit {
            flush()
            if output.count > 0, output.count + count > outputLimit { finish(.isSlow) }
        }
        return end == nil || end == .hasSaidGoodbye
    }

    /// Sends what the socket takes now.
    func flush() {
        isDirty = false
        var isOpen = true
        while output.count > 0 {
            let goesOn = output.sendNext { bytes in
                let sent = send(descriptor, bytes.baseAddress, bytes.count, CInt(MSG_DONTWAIT) | CInt(MSG_NOSIGNAL))
                if sent < 0, errno != EAGAIN, errno != EINTR { isOpen = false }
                return max(0, sent)
            }
            guard goesOn else { break }
        }
        if !isOpen { finish(.isGone) }
    }
}
