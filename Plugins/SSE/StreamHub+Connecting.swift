import Martlet

extension StreamHub {
    /// How long a request to resume waits for a log that is away.
    static let resumePatience = Duration.seconds(10)

    /// Opens a stream; on the connection's loop, which is its shard's. One that resumes opens in a later turn, once the
    /// log has said where it stands.
    func connect(_ request: StreamRequest, _ exchange: any HTTPExchange) throws(StreamRefusal) {
        let verdict = limits.admit(request.peer)
        metrics.refused(verdict)
        switch verdict {
        case .admitted: break
        case .full: throw limits.isOver ? .closed : .full(limits.maximums.total)
        case .tooFast: throw .tooFast(limits.maximums.perSecond)
        case .keyFull: throw .keyFull(limits.maximums.perKey)
        case .userFull: throw .userFull(limits.maximums.perUser)
        case .addressFull: throw .addressFull(limits.maximums.perAddress ?? 0)
        }
        guard let replay, let question = request.start.question else {
            return open(request, exchange, asked: nil)
        }
        Task { await resume(request, exchange, asking: question, replay) }
    }

    private func open(_ request: StreamRequest, _ exchange: any HTTPExchange, asked: StreamPositions?) {
        let shard = shards[exchange.loopIndex]
        shard.prepare(for: request.peer)
        let beginning = StreamBeginning(
            request.start, keys: settings.isBroadcast ? nil : request.peer.keys, layout: shard.layout, live: shard.positions, asked: asked, replay: replay)
        shard.open(exchange, request.peer, beginning)
    }

    /// The answer waits; it is counted as a connection meanwhile, so that those that wait are bounded.
    private func resume(
        _ request: StreamRequest, _ exchange: any HTTPExchange, asking question: StreamStart.Question, _ replay: any MessageReplay
    ) async {
        let deadline = ContinuousClock.now + Self.resumePatience
        var wait = Duration.milliseconds(100)
        while true {
            do {
                let ends = try await replay.ends()
                let asked = StreamPositions(question == .starts ? try await replay.starts() : ends)
                expect(upTo: ends)
                return services.loops.execute(on: exchange.loopIndex) { [self] in
                    // Those that are there are told to come back; this one would not be.
                    if limits.isOver { putOff(request, exchange) } else { open(request, exchange, asked: asked) }
                }
            } catch {
                guard !limits.isOver, .now + wait < deadline else {
                    warnOfResume(error)
                    return services.loops.execute(on: exchange.loopIndex) { [self] in putOff(request, exchange) }
                }
                try? await Task.sleep(for: wait)
                wait = min(wait * 2, .seconds(2))
            }
        }
    }

    /// While the log is away every client comes back again and again: 1, 2, 4, 8… are enough.
    private func warnOfResume(_ error: any Error) {
        metrics.putOff.add()
        let count = metrics.putOff.value
        if count & (count - 1) == 0 { logger.warning("a stream cannot be resumed now: \(error)", ("so_far", String(count))) }
    }

    private func putOff(_ request: StreamRequest, _ exchange: any HTTPExchange) {
        limits.release(request.peer)
        StreamRequest.putOff(exchange, settings, milliseconds: max(settings.retryMilliseconds, 2_000))
    }
}
