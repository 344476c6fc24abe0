import CHiredis
import Martlet

/// Publishes batches over one connection, many at a time: the commands of the next batches follow those of the first
/// before its answers are there. Belongs to the connection's thread.
final class RedisPublisher: RedisLinkUser {
    /// How much is handed to the socket's queue ahead of what the socket has taken.
    private static let aheadBytes = 256 * 1024

    private struct Sending {
        let batch: PublishBatch
        var sent = 0
        var answered = 0
        var failure: ModuleError?
    }

    let link: RedisLink
    private let endpoint: RedisEndpoint
    private let published: Counter
    private let setFailure: (ModuleError?) -> Void
    private var batches = FIFOQueue<Sending>()
    /// The first batch of which not everything is queued on the link.
    private var next = 0
    private var opening: [CheckedContinuation<Void, any Error>] = []

    /// - Parameter setFailure: told why nothing can be published now, and nil when it can.
    init(link: RedisLink, endpoint: RedisEndpoint, published: Counter, setFailure: @escaping (ModuleError?) -> Void) {
        self.link = link
        self.endpoint = endpoint
        self.published = published
        self.setFailure = setFailure
        link.user = self
    }

    let wantsConnection = true

    /// Connects; completes when the server has let us in, or has refused.
    func open(_ completion: CheckedContinuation<Void, any Error>, _ now: UInt64) {
        opening.append(completion)
        link.connect(now)
    }

    /// Takes a batch over; it leaves with ``feed(_:)``.
    func publish(_ batch: PublishBatch) {
        guard link.isReady else {
            return batch.completion.resume(throwing: RedisFailure.connection("not connected yet", endpoint))
        }
        batches.append(Sending(batch: batch))
    }

    /// Hands commands to the link as far as it should take them. Once a turn, after the subscriber has
    /// read what is there: a host that publishes as fast as it can does not leave its own messages at the server.
    func feed(_ now: UInt64) {
        while link.isReady, next < batches.count, link.queuedCount < Self.aheadBytes {
            let sending = batches[next]
            let commands = sending.batch.commands
            let end = min(sending.sent + Self.aheadBytes, commands.count)
            // All answers are due from the first byte on: the server's silence counts from there.
            link.send(commands[sending.sent..<end], answers: sending.sent == 0 ? sending.batch.count : 0, now)
            guard link.isReady else { return }
            batches[next].sent = end
            if end == commands.count { next += 1 }
        }
        link.flush(now)
    }

    /// Whether a turn should lead to ``feed(_:)``.
    var hasMore: Bool { next < batches.count }

    func linkIsReady() {
        setFailure(nil)
        for completion in opening { completion.resume() }
        opening = []
    }

    func linkAnswered(_ reply: redisReply) {
        guard batches.count > 0 else { return }
        batches[0].answered += 1
        if reply.type == REDIS_REPLY_ERROR, batches[0].failure == nil {
            batches[0].failure = RedisFailure.reply(reply.text, doing: "to publish", at: endpoint)
        }
        guard batches[0].answered == batches[0].batch.count else { return }
        let done = batches.removeFirst()
        next -= 1
        if let failure = done.failure {
            done.batch.completion.resume(throwing: failure)
        } else {
            published.add(done.batch.count)
            done.batch.completion.resume()
        }
    }

    func linkBrought(_ message: redisReply) {}

    func linkWasRead() {}

    func linkFailed(_ error: ModuleError) {
        setFailure(error)
        for completion in opening { completion.resume(throwing: error) }
        opening = []
        let lost = ModuleError(
            error.kind, code: error.code, error.message + "; what was being published may have reached some subscribers")
        while batches.count > 0 { batches.removeFirst().batch.completion.resume(throwing: lost) }
        next = 0
    }

    /// Ends: nothing more is published.
    func close() {
        link.close()
        linkFailed(RedisFailure.closed)
    }
}
