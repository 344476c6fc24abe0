import CPQ
import Glibc
public import Martlet
import Synchronization

/// A connection of its own on which the server tells of notifications (`LISTEN`), on a thread of its own.
final class PostgreSQLListener: Sendable {
    private let settings: PostgreSQLSettings
    private let channel: String
    private let ring: @Sendable () -> Void
    private let logger: Logger
    private let isCancelled = Atomic<Bool>(false)
    private let threads = BlockingThreads(limit: 1) { _ in }

    /// How long a look lasts, at most, before it is seen whether to end.
    private static let lookMilliseconds: CInt = 500

    init(_ settings: PostgreSQLSettings, channel: String, logger: Logger, ring: @escaping @Sendable () -> Void) {
        self.settings = settings
        self.channel = channel
        self.logger = logger
        self.ring = ring
    }

    /// Starts the thread. Without one there is only polling.
    func start() {
        do throws(ModuleError) {
            try threads.start(count: 1)
            _ = threads.submit { [self] _ in run() }
        } catch {
            logger.warning("not listening for notifications: \(error.message)", ("code", error.code))
        }
    }

    /// The thread ends within half a second.
    func cancel() {
        isCancelled.store(true, ordering: .releasing)
        Task { await threads.stop() }
    }

    private var isOver: Bool { isCancelled.load(ordering: .acquiring) }

    private func run() {
        var wait = 100
        while !isOver {
            do throws(ModuleError) {
                let link = try PostgreSQLLink(settings)
                try listen(link)
                wait = 100
                follow(link)
            } catch {
                logger.debug("not listening: \(error.message)", ("code", error.code))
            }
            var left = wait
            while left > 0, !isOver {
                _ = poll(nil, 0, CInt(min(left, 100)))
                left -= 100
            }
            wait = min(wait * 2, 10_000)
        }
    }

    private func listen(_ link: PostgreSQLLink) throws(ModuleError) {
        let sql = "LISTEN " + SQLIdentifier.quoted(channel)
        try link.run(sql, role: .reader) { PQsendQuery($0, sql) } each: { (_) throws(ModuleError) in true }
        // What was written before is found at once.
        ring()
    }

    /// Returns when the connection is lost.
    private func follow(_ link: PostgreSQLLink) {
        while !isOver {
            var entry = pollfd(fd: PQsocket(link.handle), events: Int16(POLLIN), revents: 0)
            guard poll(&entry, 1, Self.lookMilliseconds) > 0 else { continue }
            guard PQconsumeInput(link.handle) == 1, PQstatus(link.handle) == CONNECTION_OK else { return }
            var hasNews = false
            while let notification = PQnotifies(link.handle) {
                PQfreemem(notification)
                hasNews = true
            }
            if hasNews { ring() }
        }
    }
}

extension PostgreSQLDatabase: NotifyingDatabase {
    public func listen(on channel: String, wake: @escaping @Sendable () -> Void) -> Subscription {
        let listener = listener(on: channel, wake: wake)
        listener.start()
        return Subscription { listener.cancel() }
    }
}
