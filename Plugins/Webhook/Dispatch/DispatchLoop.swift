import Martlet

/// One turn of a dispatcher after the other; see ``Dispatcher``. Used by its task alone.
final class DispatchLoop {
    /// Reads that are under way at the same time; databases have few readers.
    private static let readLimit = 8
    /// Results that wait to be written; past it nothing is sent.
    private static let resultLimit = 10_000
    /// Results of one transaction.
    private static let writeLimit = 2_000
    /// How long a write that failed waits, in milliseconds.
    private static let writePause: Int64 = 500

    private(set) var hasEnded = false
    private let services: Dispatcher.Services
    private let inbox: Inbox
    private let givenBack: GivenBack
    private var queues: [String: EndpointQueue] = [:]
    /// Endpoints that are gone, until nothing of them is under way.
    private var removed: Set<String> = []
    /// Endpoints to look at in this turn, in the order in which they came up.
    private var dirty: [String] = []
    private var isDirty: Set<String> = []
    /// When to look at an endpoint again, in milliseconds of the steady clock.
    private var looks: [String: Int64] = [:]
    private var waitingReads: [(endpoint: String, action: ReadAction)] = []
    private var readCount = 0
    private var requestCount = 0
    private var requestBytes = 0
    private var loadedBytes = 0
    private var results: [AttemptResult] = []
    private var writing: [AttemptResult] = []
    private var isWriting = false
    private var writeFailures = 0
    private var writeNotBefore: Int64 = 0
    private var isSending = true
    private var mustEnd = false

    init(_ services: Dispatcher.Services, inbox: Inbox, givenBack: GivenBack) {
        self.services = services
        self.inbox = inbox
        self.givenBack = givenBack
    }

    /// Deals with notices, then does what is to be done. Returns when the next turn is due if no notice comes.
    func turn(_ notices: [Notice], now: Moment) -> Int64? {
        for notice in notices { take(notice, now) }
        for (name, time) in looks where time <= now.steady {
            looks[name] = nil
            mark(name)
        }
        let names = dirty
        dirty = []
        isDirty = []
        for name in names { advance(name, now) }
        startReads()
        startWrite(now)
        if !isSending { settleStop() }
        let wake = min(looks.values.min() ?? .max, isWriting || results.isEmpty ? .max : writeNotBefore)
        return wake == .max ? nil : wake
    }

    /// Called once the loop has ended.
    func finish() {
        for queue in queues.values { services.metrics.forget(queue.settings.state) }
        services.metrics.inFlight.add(-requestCount)
    }

    private func mark(_ name: String) {
        if isDirty.insert(name).inserted { dirty.append(name) }
    }

    // MARK: Notices

    private func take(_ notice: Notice, _ now: Moment) {
        switch notice {
        case .completed(let request): completed(request, now)
        case .read(let result): received(result)
        case .written(let result): written(result, now)
        case .endpoints(let endpoints): replace(endpoints, now)
        case .share(let share):
            let surplus = Set(share.surplus)
            for (name, queue) in queues {
                queue.setLease(until: share.owned.contains(name) ? share.until : 0, mustGiveBack: surplus.contains(name))
                mark(name)
            }
            givenBack.owned = Array(share.owned)
        case .arrived(let names):
            for name in names {
                queues[name]?.signal()
                mark(name)
            }
        case .stopSending:
            isSending = false
            for name in queues.keys { mark(name) }
        case .end:
            isSending = false
            mustEnd = true
        }
    }

    private func replace(_ endpoints: [EndpointSettings], _ now: Moment) {
        let names = Set(endpoints.map(\.name))
        for (name, queue) in queues where !names.contains(name) {
            // What is under way ends; then the queue is forgotten.
            queue.disable()
            removed.insert(name)
            mark(name)
        }
        removed.subtract(names)
        for endpoint in endpoints {
            if let queue = queues[endpoint.name] {
                services.metrics.changed(from: queue.settings.state, to: endpoint.state)
                queue.update(endpoint)
            } else {
                queues[endpoint.name] = EndpointQueue(endpoint, services.bounds, now: now)
                services.metrics.changed(from: nil, to: endpoint.state)
            }
            mark(endpoint.name)
        }
    }

    private func forget(_ name: String) {
        guard let queue = queues.removeValue(forKey: name) else { return }
        looks[name] = nil
        removed.remove(name)
        services.metrics.forget(queue.settings.state)
    }

    // MARK: Sending

    private func advance(_ name: String, _ now: Moment) {
        guard let queue = queues[name] else { return }
        let before = queue.loadedBytes
        let room = loadedBytes + requestBytes < services.queuedBytes
        for action in queue.reads(now: now, room: room, mayLoad: isSending) { waitingReads.append((name, action)) }
        while requestCount < services.maxRequests, results.count + writing.count < Self.resultLimit, isSending,
            let delivery = queue.nextSend(now: now)
        {
            send(delivery, queue, now)
        }
        // What was sent makes room for more.
        for action in queue.reads(now: now, room: room, mayLoad: isSending) { waitingReads.append((name, action)) }
        loadedBytes += queue.loadedBytes - before
        looks[name] = isSending ? queue.nextLook(now: now) : nil
        if queue.canBeGivenBack { givenBack.add(name) }
        if removed.contains(name), queue.isIdle { return forget(name) }
        if isStarved(queue, room) { looks[name] = min(looks[name] ?? .max, now.steady + 50) }
    }

    /// Whether the endpoint waits for something that others hold: it looks again soon.
    private func isStarved(_ queue: EndpointQueue, _ room: Bool) -> Bool {
        isSending && (!room || (queue.lanes.hasNext && requestCount >= services.maxRequests))
    }

    private func send(_ delivery: Delivery, _ queue: EndpointQueue, _ now: Moment) {
        requestCount += 1
        requestBytes += delivery.size
        services.metrics.inFlight.add(1)
        let name = queue.name
        guard let request = services.request.request(delivery, to: queue.settings, now: now.wall) else {
            let error = ModuleError.blocked("webhook.no_url", "the endpoint \(name) has no URL any more")
            return inbox.post(
                .completed(CompletedRequest(endpoint: name, delivery: delivery, url: "", result: .failure(error), started: now, ended: now)))
        }
        services.client.send(request) { [inbox] result in
            inbox.post(
                .completed(
                    CompletedRequest(
                        endpoint: name, delivery: delivery, url: request.url, result: result, started: now, ended: .now())))
        }
    }

    private func completed(_ request: CompletedRequest, _ now: Moment) {
        requestCount -= 1
        requestBytes -= request.delivery.size
        services.metrics.inFlight.add(-1)
        guard let queue = queues[request.endpoint] else { return }
        defer { mark(request.endpoint) }
        let before = queue.loadedBytes
        defer { loadedBytes += queue.loadedBytes - before }
        if case .failure(let error) = request.result, error.code == "http.client_closed" || error.code == "http.cancelled" {
            return queue.abandoned(request.delivery)
        }
        let latency = request.ended.steady - request.started.steady
        let answer = Answer(request.result, from: request.url, now: now.wall)
        let wasFailing = queue.failsSince
        let (result, consequence) = queue.completed(
            request.delivery, answer, startedAt: request.started.wall, latency: latency, now: now, random: .random(in: 0...1))
        results.append(result)
        services.metrics.attempted(result, answer.meaning, .milliseconds(latency))
        tell(consequence, queue, answer, wasFailing: wasFailing)
    }

    private func tell(_ consequence: EndpointQueue.Consequence, _ queue: EndpointQueue, _ answer: Answer, wasFailing: Int64?) {
        let logger = services.logger
        if let reason = consequence.disable { services.disable(queue.name, reason) }
        if consequence.breakerOpened {
            if queue.pace.failuresInARow == queue.pace.limits.breakerFailures {
                logger.warning(
                    "endpoint fails and is paused: \(answer.error ?? "no answer")", ("endpoint", queue.name),
                    ("failures", String(queue.pace.failuresInARow)))
            }
            services.noteFailing(queue.name, queue.failsSince)
        }
        if consequence.breakerClosed {
            logger.info("endpoint works again", ("endpoint", queue.name))
            services.noteFailing(queue.name, nil)
        }
    }

    // MARK: Reading

    private func startReads() {
        var next = 0
        while readCount < Self.readLimit, next < waitingReads.count {
            let (name, action) = waitingReads[next]
            next += 1
            guard let queue = queues[name] else { continue }
            readCount += 1
            start(action, name, queue.generation)
        }
        waitingReads.removeFirst(next)
    }

    private func start(_ action: ReadAction, _ name: String, _ generation: Int) {
        let (reader, inbox) = (services.reader, inbox)
        // A page is part of what may be queued, so that many endpoints with large bodies share it.
        let bytes = min(4 << 20, max(64 << 10, services.queuedBytes / 16))
        Task {
            let found: ReadResult.Found
            do {
                switch action {
                case .held(let rows): found = .held(try await reader.held(endpoint: name, rows: rows))
                case .due(let now, let rows): found = .page(try await reader.due(endpoint: name, now: now, rows: rows, bytes: bytes))
                case .key(let read, let rows):
                    found = .page(
                        try await reader.waiting(
                            endpoint: name, key: read.key, after: read.after, through: read.through, rows: rows, bytes: bytes))
                case .scan(let after, let rows):
                    found = .page(try await reader.waiting(endpoint: name, after: after, rows: rows, bytes: bytes))
                }
            } catch {
                found = .failure(error as? ModuleError ?? .transient("webhook.read_failed", "\(error)"))
            }
            inbox.post(.read(ReadResult(endpoint: name, generation: generation, action: action, found: found)))
        }
    }

    private func received(_ result: ReadResult) {
        readCount -= 1
        guard let queue = queues[result.endpoint], queue.generation == result.generation else { return }
        let before = queue.loadedBytes
        switch (result.action, result.found) {
        case (.held, .held(let heads)): queue.received(held: heads)
        case (.due, .page(let page)): queue.received(due: page)
        case (.key(let read, _), .page(let page)): queue.received(page, of: read)
        case (.scan, .page(let page)): queue.received(scan: page)
        case (_, .failure(let error)):
            services.logger.debug("cannot read deliveries: \(error)", ("endpoint", result.endpoint))
            queue.failed(result.action)
            looks[result.endpoint] = Moment.now().steady + 200
            loadedBytes += queue.loadedBytes - before
            return
        default: preconditionFailure("a read found what it was not asked for")
        }
        loadedBytes += queue.loadedBytes - before
        mark(result.endpoint)
    }

    // MARK: Writing

    private func startWrite(_ now: Moment) {
        guard !isWriting, !results.isEmpty, now.steady >= writeNotBefore else { return }
        isWriting = true
        writing = Array(results.prefix(Self.writeLimit))
        results.removeFirst(writing.count)
        let batch = writing
        services.database.transaction(
            { [writer = services.results] connection in try writer.write(batch, now: Timestamp.now(), connection) },
            completion: { [inbox] in inbox.post(.written($0)) })
    }

    private func written(_ result: Result<Void, ModuleError>, _ now: Moment) {
        isWriting = false
        switch result {
        case .success:
            if writeFailures > 0 { services.logger.info("results of deliveries can be written again") }
            writeFailures = 0
            for result in writing {
                queues[result.endpoint]?.wrote(result)
                mark(result.endpoint)
            }
        case .failure(let error):
            writeFailures += 1
            if writeFailures & (writeFailures - 1) == 0 {
                services.logger.warning("cannot write what became of deliveries: \(error); trying again", ("code", error.code))
            }
            results = writing + results
            writeNotBefore = now.steady + Self.writePause
        }
        writing = []
    }

    // MARK: Stopping

    private func settleStop() {
        let isWritten = results.isEmpty && !isWriting
        if requestCount == 0, isWritten { givenBack.isDrained = true }
        // A database that is away does not hold the end up: what is not written is delivered again.
        if mustEnd, requestCount == 0, isWritten || writeFailures > 0, !isWriting { hasEnded = true }
    }
}
