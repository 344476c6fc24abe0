import CHiredis
import Glibc
import Martlet

/// A connection whose calls block, made again when it is lost. For sources and sinks, each on a thread of its own.
final class RedisClient: @unchecked Sendable {
    // Unchecked: all calls come from the one thread of its owner's worker.

    /// A reply that holds on to nothing of hiredis.
    enum Reply: Sendable {
        case null
        case integer(Int64)
        case text(Bytes)
        case error(String)
        case array([Reply])

        var bytes: Bytes? { if case .text(let bytes) = self { bytes } else { nil } }
        var items: [Reply] { if case .array(let items) = self { items } else { [] } }
    }

    private static let depthLimit = 8

    private let endpoint: RedisEndpoint
    private let clientName: String
    private let connectTimeout: Int
    private let commandTimeout: Int
    private var context: UnsafeMutablePointer<redisContext>?

    init(_ endpoint: RedisEndpoint, _ config: RedisServerConfig, name: String) {
        self.endpoint = endpoint
        clientName = RedisServerConfig.clientName(name)
        connectTimeout = config.connectTimeoutMilliseconds
        commandTimeout = config.commandTimeoutMilliseconds
    }

    deinit {
        close()
    }

    func close() {
        if let context { redisFree(context) }
        context = nil
    }

    /// Connects and logs in, unless there is a connection.
    func connect() throws(ModuleError) {
        guard context == nil else { return }
        guard let made = redisConnectWithTimeout(endpoint.host, CInt(endpoint.port), Self.time(connectTimeout)) else {
            throw RedisFailure.connection("no memory", endpoint)
        }
        context = made
        guard made.pointee.err == 0 else { throw lost() }
        _ = fcntl(made.pointee.fd, F_SETFD, FD_CLOEXEC)
        redisSetTimeout(made, Self.time(commandTimeout))
        var greeting: [(command: [Bytes], what: String)] = []
        if let password = endpoint.password {
            greeting.append((["AUTH"] + (endpoint.user.map { [Bytes($0)] } ?? []) + [Bytes(password)], "the login"))
        }
        if endpoint.database != 0 { greeting.append((["SELECT", Bytes(String(endpoint.database))], "database \(endpoint.database)")) }
        // So that a server that wants a password says so now.
        greeting.append((["PING"], "the connection"))
        for (command, what) in greeting {
            if case .error(let text) = try send([command])[0] {
                close()
                throw RedisFailure.reply(text, doing: what, at: endpoint)
            }
        }
        // A user who may not name connections can still work.
        _ = try send([["CLIENT", "SETNAME", Bytes(clientName)]])
    }

    /// Runs a command; an error reply is thrown.
    func run(_ command: [Bytes]) throws(ModuleError) -> Reply {
        let reply = try runAll([command])[0]
        if case .error(let text) = reply { throw failure(text, command) }
        return reply
    }

    /// Runs commands one behind the other, without waiting in between. Replies in their order, errors among them.
    func runAll(_ commands: [[Bytes]]) throws(ModuleError) -> [Reply] {
        try connect()
        return try send(commands)
    }

    /// The error of a reply to a command.
    func failure(_ text: String, _ command: [Bytes]) -> ModuleError {
        RedisFailure.reply(text, doing: command.first?.string ?? "a command", at: endpoint)
    }

    /// What the server sends by itself, on a connection that has subscribed: nothing if it sends nothing for a time.
    func pushed(wait milliseconds: Int, limit: Int) throws(ModuleError) -> [Reply] {
        guard let context else { throw RedisFailure.connection("it is closed", endpoint) }
        var replies: [Reply] = []
        while replies.count < limit {
            var raw: UnsafeMutableRawPointer?
            guard redisGetReplyFromReader(context, &raw) == REDIS_OK else { throw lost() }
            if let raw {
                replies.append(take(raw))
                continue
            }
            var entry = pollfd(fd: context.pointee.fd, events: Int16(POLLIN), revents: 0)
            guard poll(&entry, 1, replies.isEmpty ? CInt(milliseconds) : 0) > 0 else { break }
            guard redisBufferRead(context) == REDIS_OK else { throw lost() }
        }
        return replies
    }

    private func send(_ commands: [[Bytes]]) throws(ModuleError) -> [Reply] {
        guard let context else { throw RedisFailure.connection("it is closed", endpoint) }
        for command in commands {
            let words = Self.words(command)
            let isTaken = words.withUnsafeBytes { bytes in
                redisAppendFormattedCommand(context, bytes.bindMemory(to: CChar.self).baseAddress, bytes.count) == REDIS_OK
            }
            guard isTaken else { throw lost() }
        }
        var replies: [Reply] = []
        for _ in commands {
            var raw: UnsafeMutableRawPointer?
            guard redisGetReply(context, &raw) == REDIS_OK, let raw else { throw lost() }
            replies.append(take(raw))
        }
        return replies
    }

    private func take(_ raw: UnsafeMutableRawPointer) -> Reply {
        defer { freeReplyObject(raw) }
        return Self.reply(raw.assumingMemoryBound(to: redisReply.self).pointee, depth: 0)
    }

    private static func reply(_ reply: redisReply, depth: Int) -> Reply {
        switch reply.type {
        case REDIS_REPLY_INTEGER: .integer(reply.integer)
        case REDIS_REPLY_STRING, REDIS_REPLY_STATUS: .text(Bytes(copying: reply.raw))
        case REDIS_REPLY_ERROR: .error(reply.text)
        case REDIS_REPLY_ARRAY where depth < depthLimit: .array((0..<Int(reply.elements)).map { self.reply(reply[$0], depth: depth + 1) })
        default: .null
        }
    }

    private func lost() -> ModuleError {
        var text = "it is closed"
        if let context {
            text = withUnsafeBytes(of: context.pointee.errstr) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
        }
        close()
        return RedisFailure.connection(text, endpoint)
    }

    private static func words(_ command: [Bytes]) -> [UInt8] {
        var bytes = Array("*\(command.count)\r\n".utf8)
        for word in command {
            bytes += "$\(word.count)\r\n".utf8
            word.withUnsafeBytes { bytes.append(contentsOf: $0) }
            bytes += "\r\n".utf8
        }
        return bytes
    }

    private static func time(_ milliseconds: Int) -> timeval {
        timeval(tv_sec: milliseconds / 1000, tv_usec: milliseconds % 1000 * 1000)
    }
}
