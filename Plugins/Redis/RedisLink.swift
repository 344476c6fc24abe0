import CHiredis
import Glibc
import Martlet

/// One connection to the server: connects, logs in, pings, notices a dead peer, connects again with backoff.
/// Belongs to one thread, which polls ``pollEntry`` and calls ``handle(_:_:)`` and ``tick(_:)``.
final class RedisLink {
    private enum Phase {
        case idle
        /// A failed attempt; the next one is due then.
        case waiting(until: UInt64)
        case connecting(deadline: UInt64)
        case greeting(deadline: UInt64)
        case ready
    }

    /// No reply to what is sent here has more elements.
    private static let replyElementsMax: CInt = 1_000
    private static let backoffInitial: UInt64 = 50_000_000

    weak var user: (any RedisLinkUser)?

    private let settings: RedisSettings
    private let role: String
    /// What one wake-up reads at most before others get their turn: 16 KiB each.
    private let readsPerTurn: Int
    private let logger: Logger
    private let connected: Gauge
    private let reconnections: Counter
    private var phase = Phase.idle
    private var context: UnsafeMutablePointer<redisContext>?
    /// hiredis's parser reads its limits through a pointer.
    private let limits = UnsafeMutablePointer<chiredis_limits>.allocate(capacity: 1)
    private var greeting: RedisGreeting
    /// Answers that are due, and since when the server has been silent.
    private var unanswered = 0
    /// The next answer is to a PING, which is sent only while no other answer is due.
    private var isPinging = false
    private var quietSince: UInt64 = 0
    private var backoff: UInt64 = 0
    private var failures = 0
    private var hasBeenReady = false

    init(
        _ role: String, readsPerTurn: Int, settings: RedisSettings, logger: Logger, connected: Gauge, reconnections: Counter
    ) {
        self.role = role
        self.readsPerTurn = readsPerTurn
        self.settings = settings
        self.logger = logger.with("connection", role)
        self.connected = connected
        self.reconnections = reconnections
        greeting = RedisGreeting(settings)
        limits.initialize(to: chiredis_limits())
    }

    deinit {
        release()
        limits.deallocate()
    }

    var isReady: Bool { if case .ready = phase { true } else { false } }

    /// Whether an attempt is under way.
    var isConnecting: Bool {
        switch phase {
        case .connecting, .greeting: true
        case .idle, .waiting, .ready: false
        }
    }

    // MARK: Connecting

    /// Starts an attempt now, unless one is under way or has succeeded.
    func connect(_ now: UInt64) {
        guard !isReady, !isConnecting else { return }
        // The name is looked up here, on this thread, for as long as the resolver takes.
        guard let made = redisConnectNonBlock(settings.endpoint.host, CInt(settings.endpoint.port)) else {
            return fail(RedisFailure.connection("out of memory", settings.endpoint), now)
        }
        context = made
        guard made.pointee.err == 0 else { return fail(RedisFailure.connection(Self.text(of: made), settings.endpoint), now) }
        _ = fcntl(made.pointee.fd, F_SETFD, FD_CLOEXEC)
        chiredis_limit_arrays(made, limits, Self.replyElementsMax)
        phase = .connecting(deadline: now + settings.connectTimeout)
    }

    private func finishConnecting(_ now: UInt64, deadline: UInt64) {
        guard let context else { return }
        var status: CInt = 0
        var size = socklen_t(MemoryLayout<CInt>.size)
        getsockopt(context.pointee.fd, SOL_SOCKET, SO_ERROR, &status, &size)
        guard status == 0 else {
            return fail(RedisFailure.connection(String(cString: strerror(status)), settings.endpoint), now)
        }
        // The peer's silence is noticed by PING; this is for one whose machine vanished while nothing is sent.
        _ = redisEnableKeepAlive(context)
        phase = .greeting(deadline: deadline)
        greeting = RedisGreeting(settings)
        quietSince = now
        send(greeting.commands, answers: greeting.steps.count, now)
    }

    private func greet(_ reply: redisReply, _ now: UInt64) {
        if let error = greeting.take(reply) { return fail(error, now) }
        guard greeting.isDone else { return }
        phase = .ready
        if failures > 0 { logger.info("connected to Redis at \(settings.endpoint) after \(failures) failed attempts") }
        if hasBeenReady { reconnections.add() }
        hasBeenReady = true
        failures = 0
        backoff = 0
        connected.set(1)
        user?.linkIsReady()
    }

    // MARK: Failing

    /// Gives the connection up and, if it is wanted, plans the next attempt.
    func fail(_ error: ModuleError, _ now: UInt64) {
        release()
        backoff = min(max(backoff * 2, Self.backoffInitial), settings.reconnectMaximum)
        // Between half and all of it, so that many hosts do not come back in step.
        phase = .waiting(until: now + UInt64.random(in: backoff / 2...backoff))
        failures += 1
        if failures & (failures - 1) == 0 {
            logger.warning("\(error.message); connecting again", ("code", error.code))
        }
        user?.linkFailed(error)
        if user?.wantsConnection != true { phase = .idle }
    }

    func close() {
        release()
        phase = .idle
    }

    private func release() {
        if let context { redisFree(context) }
        context = nil
        unanswered = 0
        isPinging = false
        connected.set(0)
    }

    // MARK: Polling

    /// What to wait for; nil while there is no socket.
    var pollEntry: pollfd? {
        guard let context else { return nil }
        var events = CInt(POLLIN)
        switch phase {
        case .connecting: events = CInt(POLLOUT)
        case .greeting, .ready: if chiredis_output_count(context) > 0 { events |= CInt(POLLOUT) }
        case .idle, .waiting: return nil
        }
        return pollfd(fd: context.pointee.fd, events: Int16(events), revents: 0)
    }

    /// Takes what poll(2) has found.
    func handle(_ events: Int16, _ now: UInt64) {
        if case .connecting(let deadline) = phase {
            if events != 0 { finishConnecting(now, deadline: deadline) }
            return
        }
        if CInt(events) & (CInt(POLLIN) | CInt(POLLHUP) | CInt(POLLERR)) != 0 { read(now) }
        flush(now)
    }

    private func read(_ now: UInt64) {
        for _ in 0..<readsPerTurn {
            guard let context else { return }
            let before = chiredis_input_count(context)
            let isOpen = redisBufferRead(context) == REDIS_OK
            let failure = isOpen ? nil : Self.text(of: context)
            let gained = chiredis_input_count(context) - before
            if gained > 0 {
                quietSince = now
                parse(now)
            }
            if let failure {
                // Unless a reply, such as a refusal, has said more.
                if self.context == context { fail(RedisFailure.connection(failure, settings.endpoint), now) }
                return
            }
            if gained < 16_384 { break }
        }
        user?.linkWasRead()
        if let context, chiredis_input_count(context) > settings.maxMessageBytes + 65_536 {
            let text = "a message is larger than max_message_bytes (\(settings.maxMessageBytes)); its receivers reread the log"
            fail(.transient("redis.message_too_large", "Redis at \(settings.endpoint): \(text)"), now)
        }
    }

    private func parse(_ now: UInt64) {
        while let context {
            var object: UnsafeMutableRawPointer?
            guard redisGetReplyFromReader(context, &object) == REDIS_OK else {
                return fail(RedisFailure.connection(Self.text(of: context), settings.endpoint), now)
            }
            guard let object else { return }
            defer { freeReplyObject(object) }
            let reply = object.assumingMemoryBound(to: redisReply.self).pointee
            if reply.isMessage { user?.linkBrought(reply) } else { answered(reply, now) }
        }
    }

    private func answered(_ reply: redisReply, _ now: UInt64) {
        guard unanswered > 0 else {
            let text = "answers what it was not asked: \(reply.text)"
            return fail(RedisFailure.connection(text, settings.endpoint), now)
        }
        unanswered -= 1
        if case .greeting = phase {
            greet(reply, now)
        } else if isPinging {
            isPinging = false
            guard reply.type == REDIS_REPLY_ERROR else { return }
            fail(RedisFailure.reply(reply.text, doing: "the connection", at: settings.endpoint), now)
        } else {
            user?.linkAnswered(reply)
        }
    }

    // MARK: Sending

    /// Bytes that the socket has not taken yet.
    var queuedCount: Int { context.map { chiredis_output_count($0) } ?? 0 }

    /// Queues commands; they leave at the end of the turn.
    func send(_ commands: some Collection<UInt8>, answers: Int, _ now: UInt64) {
        guard let context else { return }
        let taken = commands.withContiguousStorageIfAvailable { bytes in
            bytes.withMemoryRebound(to: CChar.self) { redisAppendFormattedCommand(context, $0.baseAddress, bytes.count) }
        }
        precondition(taken != nil, "commands are contiguous")
        if taken != REDIS_OK { return fail(RedisFailure.connection("out of memory", settings.endpoint), now) }
        if unanswered == 0 { quietSince = now }
        unanswered += answers
    }

    /// Writes what is queued, as far as the socket takes it.
    func flush(_ now: UInt64) {
        guard let context, isReady || isConnecting, chiredis_output_count(context) > 0 else { return }
        if case .connecting = phase { return }
        var isDone: CInt = 0
        if redisBufferWrite(context, &isDone) != REDIS_OK {
            // The socket may hold an answer that says why, which is worth more than `Broken pipe`.
            let failure = Self.text(of: context)
            context.pointee.err = 0
            read(now)
            if self.context == context { fail(RedisFailure.connection(failure, settings.endpoint), now) }
        }
    }

    // MARK: Time

    /// When ``tick(_:)`` has something to do.
    var deadline: UInt64? {
        switch phase {
        case .idle: nil
        case .waiting(let until): until
        case .connecting(let deadline), .greeting(let deadline): deadline
        case .ready: quietSince + (unanswered > 0 ? settings.commandTimeout : settings.pingInterval)
        }
    }

    func tick(_ now: UInt64) {
        guard let deadline, deadline <= now else { return }
        switch phase {
        case .idle: break
        case .waiting: connect(now)
        case .connecting:
            fail(RedisFailure.connection("no answer within connect_timeout_ms", settings.endpoint), now)
        case .greeting:
            fail(RedisFailure.connection("connected, but no answer to the login within connect_timeout_ms", settings.endpoint), now)
        case .ready where unanswered > 0:
            fail(RedisFailure.connection("no answer within command_timeout_ms", settings.endpoint), now)
        case .ready:
            send(RedisGreeting.ping, answers: 1, now)
            isPinging = true
            flush(now)
        }
    }

    private static func text(of context: UnsafeMutablePointer<redisContext>) -> String {
        withUnsafeBytes(of: context.pointee.errstr) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
    }
}
