import CEvent
import Synchronization

/// From the socket to the handler.
extension Connection {
    func readable() {
        let buffer = loop.readBuffer
        guard let start = buffer.baseAddress else { return }
        let received = cevent_receive(descriptor, start, buffer.count)
        if received > 0 {
            acceptor.counters.bytesIn.addFromOwner(received)
            take(UnsafeRawBufferPointer(start: start, count: received))
        } else if received == 0 {
            clientEnded()
        } else {
            let code = cevent_errno()
            if code != EAGAIN && code != EWOULDBLOCK && code != EINTR { close(.clientLeft) }
        }
    }

    private func take(_ bytes: UnsafeRawBufferPointer) {
        guard state == .open, acceptsRequests else { return discard(bytes.count) }
        let wasInside = parser.isInsideRequest
        let before = nextSequence
        if pending.isEmpty {
            let consumed = process(bytes)
            if consumed < bytes.count, acceptsRequests, let start = bytes.baseAddress {
                pending.append(start + consumed, bytes.count - consumed)
            }
        } else if let start = bytes.baseAddress {
            pending.append(start, bytes.count)
            processPending()
        }
        if parser.isInsideRequest { noteProgress(bytes.count, isNew: !wasInside || nextSequence != before) }
        settle()
    }

    /// Keeps the times that the header and body timeouts count from.
    private func noteProgress(_ count: Int, isNew: Bool) {
        let now = loop.nowMs
        if isNew { headStartMs = now }
        guard parser.isInsideBody else { return }
        bodyWindowBytes += count
        if isNew || bodyWindowStartMs == 0 || bodyWindowBytes >= deadlines.bodyProgressBytesMin {
            bodyWindowStartMs = now
            bodyWindowBytes = 0
        }
    }

    /// A request whose rest was not read for a while has all of its time from now on: the wait was not its client's.
    func restartRequestTime() {
        guard parser.isInsideRequest else { return }
        headStartMs = loop.nowMs
        guard parser.isInsideBody else { return }
        bodyWindowStartMs = headStartMs
        bodyWindowBytes = 0
    }

    /// Bytes that nobody waits for: behind the last request, on a stream, or while lingering.
    private func discard(_ count: Int) {
        discardedBytes += count
        // A lingering connection is bounded by its time; 16 MiB let a refused upload end in an answer.
        let bytesMax = state == .lingering ? 16 * 1024 * 1024 : acceptor.settings.streamInputBytesMax
        if discardedBytes > bytesMax { close(.unexpectedInput) }
    }

    private func clientEnded() {
        hasSeenEnd = true
        hasClientLeft.store(true, ordering: .relaxed)
        // A client that only sends no more still gets the answers to its whole requests; a stream has no such client.
        if stream != nil || state == .lingering || (inFlightCount == 0 && output.isEmpty && !isPaused) {
            return close(.clientLeft)
        }
        settle()
    }

    /// Whether the connection has room for another request.
    var mayProcess: Bool {
        inFlightCount < acceptor.settings.pipelineDepthMax && output.count <= acceptor.settings.outputBytesMax
    }

    func processPending() {
        let consumed = process(pending.bytes)
        if acceptsRequests { pending.removePrefix(consumed) } else { pending.release() }
    }

    /// Parses and dispatches as many requests as there are and have room. Returns the bytes consumed.
    private func process(_ bytes: UnsafeRawBufferPointer) -> Int {
        isProcessing = true
        defer { isProcessing = false }
        var consumed = 0
        while consumed < bytes.count, state == .open, acceptsRequests {
            guard mayProcess else {
                isPaused = true
                break
            }
            switch parser.parse(UnsafeRawBufferPointer(rebasing: bytes[consumed...])) {
            case .incomplete(let count):
                return consumed + count
            case .continueExpected(let count):
                consumed += count
                if inFlightCount == 0 { sendContinue() } else { owesContinue = true }
            case .request(let request, let count):
                consumed += count
                dispatch(request)
            case .failed(let error):
                refuse(error)
            }
        }
        return consumed
    }

    private func dispatch(_ request: HTTPRequest) {
        owesContinue = false
        bodyWindowStartMs = 0
        bodyWindowBytes = 0
        acceptor.counters.requests.addFromOwner(1)
        let exchange = HTTPExchange(request: request, connection: self, sequence: nextSequence)
        nextSequence += 1
        if !request.wantsKeepAlive { acceptsRequests = false }
        acceptor.handler(exchange)
    }

    /// Answers bytes that are no request, and reads no more.
    func refuse(_ error: RequestError) {
        acceptor.counters.refused.addFromOwner(1)
        let sequence = nextSequence
        nextSequence += 1
        acceptsRequests = false
        complete(sequence, HTTPResponse(error))
    }

    private func sendContinue() {
        owesContinue = false
        output.append("HTTP/1.1 100 Continue\r\n\r\n", loop.outputPool)
    }

    // MARK: Answers

    /// Takes the answer to a request, and sends it when those before it are sent.
    func complete(_ sequence: UInt64, _ response: HTTPResponse) {
        guard state == .open, !closesWhenSent, stream == nil else { return drop(response) }
        guard sequence == nextToAnswer else {
            held.append((sequence, response))
            return
        }
        answer(response)
        while !closesWhenSent, stream == nil, let index = held.firstIndex(where: { $0.sequence == nextToAnswer }) {
            answer(held.remove(at: index).response)
        }
        if closesWhenSent || stream != nil {
            let dropped = held
            held = []
            for item in dropped { drop(item.response) }
        } else if owesContinue, inFlightCount == 0 {
            sendContinue()
        }
        if !isProcessing { markDirty() }
    }

    private func answer(_ response: HTTPResponse) {
        nextToAnswer += 1
        let isLast = !response.wantsKeepAlive || (acceptor.isDraining && inFlightCount == 0)
        output.append(response, closing: isLast, loop: loop)
        if let stream = response.stream { return begin(stream, isHead: response.isHead) }
        if isLast {
            acceptsRequests = false
            closesWhenSent = true
        }
    }

    /// The connection has no use for this answer any more: its client is gone or was told that no more would come.
    private func drop(_ response: HTTPResponse) {
        guard let stream = response.stream else { return }
        loop.execute { stream.connectionClosed(.clientLeft) }
    }

    // MARK: Streams

    private func begin(_ stream: HTTPStream, isHead: Bool) {
        acceptsRequests = false
        isPaused = false
        if isHead {
            closesWhenSent = true
            stream.refuseWrites()
            return loop.execute { stream.connectionClosed(.closedByServer) }
        }
        self.stream = stream
        acceptor.counters.openStreams.addFromOwner(1)
        parser = RequestParser(limits: acceptor.settings.request)
        if !isProcessing { pending.release() }
        stream.activate()
        if acceptor.isDraining { stream.serverStopping() }
    }

    /// Sends the end of a stream's body, then closes.
    func endStream(isChunked: Bool) {
        if isChunked { output.append("0\r\n\r\n", loop.outputPool) }
        closesWhenSent = true
        markDirty()
    }
}

extension Connection {
    /// The server stops: what is idle closes now, a stream says goodbye, a request in flight is still answered.
    func serverStopping() {
        guard state == .open else { return }
        if let stream { return stream.serverStopping() }
        guard inFlightCount == 0, !isPaused, !parser.isInsideRequest else { return }
        if output.isEmpty { close(.serverStopped) } else { closesWhenSent = true }
    }

    /// Answers 503 to a connection beyond the limit, then closes it.
    func reject(retryAfterSeconds: Int) {
        isRejected = true
        acceptsRequests = false
        closesWhenSent = true
        let detail = "this server has as many connections as it accepts; try again in \(retryAfterSeconds) s"
        var response = HTTPResponse(RequestError(.serviceUnavailable, detail))
        let retryAfter: HTTPHeaders = ["Retry-After": "\(retryAfterSeconds)"]
        response.headers = response.headers.appending(retryAfter)
        output.append(response, closing: true, loop: loop)
        settle()
    }
}
