/// An answer whose body is written piece by piece for as long as the client stays: server-sent events.
///
/// All calls belong to the thread of `loop`. What is written within a turn of the loop leaves in one system call at its
/// end. Callbacks come from the loop itself, never from inside a call to the stream, and hold no lock.
///
/// `@unchecked Sendable`: confined to the loop's thread, which each call checks.
package final class HTTPStream: @unchecked Sendable {
    /// What became of a write.
    package enum WriteResult: Sendable, Equatable {
        /// Sent or queued.
        case accepted
        /// The queue is full: the client is too slow. Nothing of this write was taken; call `abort()`.
        case overflow
        /// The stream has ended.
        case closed
    }

    /// Why a stream ended.
    package enum CloseReason: Sendable, Equatable {
        /// The client closed or reset the connection.
        case clientLeft
        /// The client took nothing for `writeStallTimeout`.
        case clientStalled
        /// The client sent more than `streamInputBytesMax`.
        case unexpectedInput
        /// `close()` or `abort()` was called.
        case closedByServer
        /// The server's grace period ended.
        case serverStopped
    }

    /// The loop that this stream belongs to.
    package let loop: EventLoop
    /// Called once, as soon as the stream has ended for whatever reason. Set it right after `startStream`.
    package var onClose: ((CloseReason) -> Void)?
    /// Called when the server begins to stop: the last chance to say goodbye before `close()`. Without it the stream is closed.
    package var onServerStopping: (() -> Void)?

    private var connection: Connection?
    private let isChunked: Bool
    private let queueBytesMax: Int
    /// Written while answers to earlier requests of the connection are still due.
    private var early: [StreamChunk] = []
    private var earlyBytes = 0
    private var isActive = false
    private var isEnding = false

    /// What each queued write costs beside its bytes, counted against the limit.
    private static let writeOverheadBytes = 64

    init(connection: Connection, isChunked: Bool, queueBytesMax: Int) {
        self.connection = connection
        self.isChunked = isChunked
        self.queueBytesMax = queueBytesMax
        loop = connection.loop
    }

    /// Whether the stream has ended or been told to.
    package var isClosed: Bool { connection == nil || isEnding }

    /// Bytes that wait for the client.
    package var bytesQueued: Int { isActive ? connection?.output.count ?? 0 : earlyBytes }

    /// How much of the queue's limit is taken: by the bytes that wait, and by each write that they came in.
    package var queueBytesTaken: Int {
        guard isActive else { return earlyBytes + early.count * HTTPStream.writeOverheadBytes }
        guard let output = connection?.output else { return 0 }
        return output.count + output.segmentCount * HTTPStream.writeOverheadBytes
    }

    /// Queues a message, shared and not copied; it is sent at the end of this turn of the loop.
    package func write(_ chunk: StreamChunk) -> WriteResult {
        loop.preconditionOnLoop()
        guard let connection, !isEnding else { return .closed }
        let added = isChunked ? chunk.count : chunk.payloadCount
        guard isActive else {
            guard earlyBytes + added + (early.count + 1) * HTTPStream.writeOverheadBytes <= queueBytesMax else { return .overflow }
            early.append(chunk)
            earlyBytes += added
            return .accepted
        }
        if cost(connection, added) > queueBytesMax {
            // Only what the socket does not take counts as waiting.
            connection.sendEarly()
            if cost(connection, added) > queueBytesMax { return .overflow }
        }
        connection.enqueue(sharing: chunk, isChunked ? chunk.start : chunk.payloadStart, added)
        return .accepted
    }

    private func cost(_ connection: Connection, _ added: Int) -> Int {
        connection.output.count + added + (connection.output.segmentCount + 1) * HTTPStream.writeOverheadBytes
    }

    /// Ends the stream after what is queued has been sent.
    package func close() {
        loop.preconditionOnLoop()
        guard let connection, !isEnding else { return }
        isEnding = true
        if isActive { connection.endStream(isChunked: isChunked) }
    }

    /// Ends the stream at once and forgets what is queued.
    package func abort() {
        loop.preconditionOnLoop()
        guard let connection else { return }
        isEnding = true
        connection.abortAtEndOfTurn()
    }

    // MARK: Called by the connection

    /// The head of the answer has been written: what follows is this stream's.
    func activate() {
        guard let connection else { return }
        isActive = true
        for chunk in early {
            connection.enqueue(
                sharing: chunk, isChunked ? chunk.start : chunk.payloadStart, isChunked ? chunk.count : chunk.payloadCount)
        }
        early = []
        earlyBytes = 0
        if isEnding { connection.endStream(isChunked: isChunked) }
    }

    /// The answer to HEAD has no body.
    func refuseWrites() {
        isEnding = true
    }

    func serverStopping() {
        if let onServerStopping { onServerStopping() } else { close() }
    }

    func connectionClosed(_ reason: CloseReason) {
        guard connection != nil else { return }
        connection = nil
        early = []
        onServerStopping = nil
        let callback = onClose
        onClose = nil
        callback?(reason)
    }
}
