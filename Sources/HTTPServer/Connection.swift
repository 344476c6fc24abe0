import CEvent
import Synchronization

/// One client's connection: reads, parses, hands requests out, and sends the answers in order.
///
/// `@unchecked Sendable`: confined to the thread of its loop, but for `loop` and `hasClientLeft`.
final class Connection: @unchecked Sendable {
    enum State {
        case open
        /// All is sent; waiting for the client to close, so that the last answer is not lost to a reset.
        case lingering
        case closed
    }

    let loop: EventLoop
    let acceptor: Acceptor
    let hasClientLeft = Atomic(false)
    /// The place in the acceptor's table.
    let slot: Int

    let descriptor: Int32
    var state = State.open
    var output = OutputQueue()
    var stream: HTTPStream?
    var parser: RequestParser
    var pending = PendingInput()

    /// Requests handed out and answered; what lies between is in flight.
    var nextSequence: UInt64 = 0
    var nextToAnswer: UInt64 = 0
    /// Answers that came before those of earlier requests.
    var held: [(sequence: UInt64, response: HTTPResponse)] = []

    /// Whether further requests are read; false after one that closes, a malformed one, and a stream.
    var acceptsRequests = true
    var closesWhenSent = false
    var hasSeenEnd = false
    /// Not reading: too many requests in flight, or too many bytes waiting for the client.
    var isPaused = false
    var isProcessing = false
    var owesContinue = false
    var abortReason: HTTPStream.CloseReason?
    var discardedBytes = 0
    /// Refused at the connection limit, and not counted as open.
    var isRejected = false
    /// What the ring's send for this connection returned; `notSent` while there is none.
    var batchResult = Connection.notSent
    private var isDirty = false
    private var isReading = false

    private static let notSent = Int32.min

    // Times in milliseconds of the loop's clock.
    var headStartMs: UInt64 = 0
    var bodyWindowStartMs: UInt64 = 0
    var bodyWindowBytes = 0
    var lingerUntilMs: UInt64 = 0
    var writeProgressMs: UInt64 = 0
    let deadlines: ConnectionDeadlines
    private var deadlineSlot = -1
    private var deadlineMs = UInt64.max

    private var readEvent: OpaquePointer?
    private var writeEvent: OpaquePointer?

    init(descriptor: Int32, slot: Int, acceptor: Acceptor) {
        self.descriptor = descriptor
        self.slot = slot
        self.acceptor = acceptor
        loop = acceptor.loop
        deadlines = acceptor.deadlines
        parser = RequestParser(limits: acceptor.settings.request)
    }

    deinit {
        pending.release()
    }

    /// The client's address; empty once it is gone.
    var remoteAddress: String {
        guard state != .closed else { return "" }
        return withUnsafeTemporaryAllocation(of: CChar.self, capacity: 64) { text in
            guard let start = text.baseAddress, cevent_peer_text(descriptor, start, 64) == 0 else { return "" }
            return String(cString: start)
        }
    }

    var inFlightCount: Int { Int(nextSequence - nextToAnswer) }

    /// Starts reading.
    func open() {
        deadlineSlot = loop.addDeadline(for: self)
        readEvent = event_new(
            loop.base, descriptor, Int16(EV_READ | EV_PERSIST), connectionReadable, Unmanaged.passUnretained(self).toOpaque())
        updateReading()
        updateDeadline()
    }

    // MARK: Interest in the socket

    /// Reads exactly while something may be done with what comes; a client's leaving is seen while reading.
    func updateReading() {
        let wants = state != .closed && !hasSeenEnd && !isPaused
        guard wants != isReading, let readEvent else { return }
        isReading = wants
        if wants { event_add(readEvent, nil) } else { event_del(readEvent) }
    }

    private func awaitWritable() {
        guard writeEvent == nil else { return }
        writeEvent = event_new(
            loop.base, descriptor, Int16(EV_WRITE | EV_PERSIST), connectionWritable, Unmanaged.passUnretained(self).toOpaque())
        event_add(writeEvent, nil)
        writeProgressMs = loop.nowMs
    }

    private func stopAwaitingWritable() {
        guard let event = writeEvent else { return }
        event_free(event)
        writeEvent = nil
    }

    // MARK: Sending

    /// Sends what is there at the end of the turn.
    func markDirty() {
        guard !isDirty else { return }
        isDirty = true
        loop.markDirty(self)
    }

    func enqueue(sharing owner: AnyObject, _ start: UnsafeRawPointer, _ count: Int) {
        output.append(sharing: owner, start, count)
        markDirty()
    }

    /// Sends within a turn, to see what the socket takes. Its failure is acted on at the end of the turn.
    func sendEarly() {
        guard writeEvent == nil, state == .open else { return }
        let before = output.count
        let result = output.send(to: descriptor, pool: loop.outputPool)
        acceptor.counters.bytesOut.addFromOwner(before - output.count)
        if case .failed = result { abortReason = .clientLeft }
        markDirty()
    }

    func abortAtEndOfTurn() {
        abortReason = .closedByServer
        markDirty()
    }

    private func send() {
        let before = output.count
        let result = output.send(to: descriptor, pool: loop.outputPool)
        let sent = before - output.count
        if sent > 0 {
            acceptor.counters.bytesOut.addFromOwner(sent)
            writeProgressMs = loop.nowMs
        }
        switch result {
        case .drained:
            stopAwaitingWritable()
            finishIfAllSent()
        case .blocked:
            awaitWritable()
        case .failed:
            close(.clientLeft)
        }
    }

    private func finishIfAllSent() {
        let isDone = inFlightCount == 0 && !isPaused
        if hasSeenEnd, isDone || closesWhenSent {
            close(.clientLeft)
        } else if closesWhenSent, state == .open {
            beginLingering()
        }
    }

    private func beginLingering() {
        state = .lingering
        isPaused = false
        discardedBytes = 0
        lingerUntilMs = loop.nowMs + deadlines.lingerMs
        pending.release()
        // Kept from here on is only what the kernel holds.
        shutdown(descriptor, Int32(SHUT_WR))
        endStreamCallbacks(.closedByServer)
    }

    /// Sends, and goes on with requests that waited for room, until nothing more can be done now.
    func settle() {
        guard state != .closed else { return }
        if let abortReason { return close(abortReason) }
        while true {
            send()
            guard state == .open, isPaused, mayProcess else { break }
            isPaused = false
            processPending()
            restartRequestTime()
            guard state == .open else { break }
        }
        updateReading()
        updateDeadline()
    }

    // MARK: Deadlines

    /// Sets the one deadline that counts in the present state.
    private func updateDeadline() {
        guard state != .closed else { return }
        let next = deadlines.next(for: self)
        guard next != deadlineMs else { return }
        deadlineMs = next
        loop.setDeadline(deadlineSlot, atMs: next)
    }

    // MARK: Closing

    /// Gives everything back. The stream's `onClose` is called from here.
    func close(_ reason: HTTPStream.CloseReason) {
        guard state != .closed else { return }
        state = .closed
        hasClientLeft.store(true, ordering: .relaxed)
        if let event = readEvent { event_free(event) }
        readEvent = nil
        stopAwaitingWritable()
        loop.removeDeadline(deadlineSlot)
        CEvent.close(descriptor)
        output.removeAll(pool: loop.outputPool)
        pending.release()
        let dropped = held
        held = []
        endStreamCallbacks(reason)
        for item in dropped { item.response.stream?.connectionClosed(reason) }
        // Last: whoever waits for the server to stop goes on when no connection is left.
        acceptor.remove(self)
    }

    private func endStreamCallbacks(_ reason: HTTPStream.CloseReason) {
        guard let ended = stream else { return }
        stream = nil
        acceptor.counters.openStreams.addFromOwner(-1)
        ended.connectionClosed(reason)
    }
}

extension Connection {
    func flushEndOfTurn() {
        isDirty = false
        settle()
    }

    /// Hands the one piece that there is to send to the ring; false if there is more to do than that.
    func joinBatch(_ ring: SendRing) -> Bool {
        guard !isPaused, state == .open, abortReason == nil, writeEvent == nil, !closesWhenSent, let piece = output.onlyPiece else {
            return false
        }
        isDirty = false
        ring.add(self, piece.start, piece.count)
        return true
    }

    /// Takes note of what the ring sent, and calls nobody.
    func noteBatchedSend() {
        guard batchResult > 0 else { return }
        acceptor.counters.bytesOut.addFromOwner(Int(batchResult))
        writeProgressMs = loop.nowMs
        output.sent(Int(batchResult), pool: loop.outputPool)
    }

    /// Acts on what the ring sent. What it did not, for whatever reason, is tried by itself, which finds out why.
    func settleBatchedSend() {
        batchResult = Self.notSent
        if output.isEmpty, state == .open, abortReason == nil {
            finishIfAllSent()
            updateReading()
            updateDeadline()
        } else {
            settle()
        }
    }
}

extension Connection: DeadlineOwner {
    func deadlineReached() {
        deadlineMs = .max
        guard state == .open else { return close(.serverStopped) }
        if !output.isEmpty { return close(.clientStalled) }
        guard inFlightCount == 0, acceptsRequests, parser.isInsideRequest else { return close(.clientLeft) }
        let part = parser.isInsideBody ? "body" : "header"
        refuse(RequestError(.requestTimeout, "the request's \(part) did not arrive in time"))
        settle()
    }
}

private nonisolated func connectionReadable(_ descriptor: Int32, _ what: Int16, _ context: UnsafeMutableRawPointer?) {
    guard let context else { return }
    Unmanaged<Connection>.fromOpaque(context).takeUnretainedValue().readable()
}

private nonisolated func connectionWritable(_ descriptor: Int32, _ what: Int16, _ context: UnsafeMutableRawPointer?) {
    guard let context else { return }
    Unmanaged<Connection>.fromOpaque(context).takeUnretainedValue().settle()
}
