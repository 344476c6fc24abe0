import Martlet

extension StreamHub {
    /// How long a request to resume waits for a log that is away.
    static let resumePatience = Duration.seconds(10)

    /// Opens a stream; on the connection's loop, which is its shard's. One that resumes opens in a later turn, once the
    /// log has said where it stands.
    func connect(_ request: StreamRequest, _ exchange: any HTTPExchange) throws(StreamRefusal) {
        switch limits.admit(request.key, countsKey: !matcher.matchesEverything) {
        case .admitted: break
        case .full: throw .full(limits.total)
        case .keyFull: throw .keyFull(limits.perKey)
        }
        guard let replay, let question = request.start.question else {
            return open(request, exchange, asked: nil)
        }
        Task { await resume(request, exchange, asking: question, replay) }
    }

    private func open(_ request: StreamRequest, _ exchange: any HTTPExchange, asked: StreamPositions?) {
        let shard = shards[exchange.loopIndex]
        let beginning = StreamBeginning(
            request.start, key: request.key, layout: shard.layout, live: shard.positions, asked: asked, replay: replay)
        shard.open(exchange, key: request.key, beginning)
    }

    /// The answer waits; it is counted as a connection meanwhile, so that those that wait are bounded.
    private func resume(
        _ request: StreamRequest, _ exchange: any HTTPExchange, asking question: StreamStart.Question, _ replay: any MessageReplay
    ) async {
        let deadline = ContinuousClock.now + Self.resumePatience
        var wait = Duration.milliseconds(100)
        while true {
            do {
                let asked = StreamPositions(question == .starts ? try await replay.starts() : try await replay.ends())
                return services.loops.execute(on: exchange.loopIndex) { [self] in
                    if services.isOver { putOff(request, exchange) } else { open(request, exchange, asked: asked) }
                }
            } catch {
                guard !services.isOver, !limits.isOver, .now + wait < deadline else {
                    logger.warning("a stream cannot be resumed now: \(error)")
                    return services.loops.execute(on: exchange.loopIndex) { [self] in putOff(request, exchange) }
                }
                try? await Task.sleep(for: wait)
                wait = min(wait * 2, .seconds(2))
            }
        }
    }

    /// Ends the request with a stream that says when to come back. An answer of 503 would be the end for a browser's
    /// `EventSource`; this way it asks again, with the same `Last-Event-ID`.
    private func putOff(_ request: StreamRequest, _ exchange: any HTTPExchange) {
        limits.release(request.key)
        let stream = exchange.startStream(
            status: 200, headers: StreamRequest.headers, queueLimit: settings.bufferBytes, onClose: {})
        _ = stream.write(EventRenderer.retry(milliseconds: max(settings.retryMilliseconds, 2_000)))
        stream.close()
    }
}
