import Martlet

/// One turn of a dispatcher after the other; see ``Dispatcher``. Used by its task alone.
final class DispatchLoop {
    /// Reads that are under way at the same time; databases have few readers.
    private static let readLimit = 8
    /// How soon an endpoint looks again that waits for memory that others hold, or for the database, in milliseconds.
    private static let starvedLook: Int64 = 50
    /// How long a read that failed waits, in milliseconds.
    private static let failedReadPause: Int64 = 200

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
    private var looks = LookTimes()
    private var waitingReads: [(endpoint: String, action: ReadAction, generation: Int)] = []
    private var readCount = 0
    private var slots: RequestSlots
    private var waitingForSlots = SlotQueue()
    private var loadedBytes = 0
    private var results = ResultQueue()
    private var isSending = true
    private var mustEnd = false

    init(_ services: Dispatcher.Services, inbox: Inbox, givenBack: GivenBack) {
        self.services = services
        self.inbox = inbox
        self.givenBack = givenBack
        slots = RequestSlots(limit: services.maxRequests)
    }

    /// Deals with notices, then does what is to be done. Returns when the next turn is due if no notice comes.
    func turn(_ notices: [Notice], now: Moment) -> Int64? {
        for notice in notices { take(notice, now) }
        while let name = looks.popFirst(upTo: now.steady) { mark(name) }
        // Who waits for a slot that is free now goes before who has just given it back.
        let names = (isSending && results.hasRoom ? waitingForSlots.next(slots) : []) + dirty
        dirty = []
        isDirty = []
        for name in names { advance(name, now) }
        startReads()
        startWrite(now)
        if !isSending { settleStop() }
        return [looks.first, results.nextWrite].compactMap { $0 }.min()
    }

    /// Called once the loop has ended.
    func finish() {
        for queue in queues.values { services.metrics.forget(queue.settings.state) }
        services.metrics.inFlight.add(-slots.count)
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
        for endpoint in endpoints {
            if let queue = queues[endpoint.name] {
                services.metrics.changed(from: queue.settings.state, to: endpoint.state)
                // Made again while a request to its predecessor was under way.
                queue.update(endpoint, isAnother: removed.remove(endpoint.name) != nil)
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

    /// Does something with a queue, and counts anew what it has read ahead.
    private func using<Outcome>(_ queue: EndpointQueue, _ body: () -> Outcome) -> Outcome {
        let before = queue.loadedBytes
        defer { loadedBytes += queue.loadedBytes - before }
        return body()
    }

    private func advance(_ name: String, _ now: Moment) {
        guard let queue = queues[name] else { return }
        let room = loadedBytes + slots.bytes < services.queuedBytes
        using(queue) { read(queue, now, room: room) }
        while maySend {
            let claim = queue.claim
            guard slots.room(for: claim) > 0, let delivery = using(queue, { queue.nextSend(now: now) }) else { break }
            send(delivery, queue, claim, now)
        }
        // What was sent makes room for more.
        using(queue) { read(queue, now, room: room) }
        looks[name] = isSending ? queue.nextLook(now: now) : nil
        if queue.canBeGivenBack { givenBack.add(name) }
        if removed.contains(name), queue.isIdle { return forget(name) }
        guard isSending else { return }
        if slots.room(for: queue.claim) <= 0, queue.wantsSlot(now: now) { waitingForSlots.add(name, queue.claim) }
        // What it waits for is held by others, whose news are not its own.
        if !room || queue.lanes.hasNext && !maySend {
            looks[name] = min(looks[name] ?? .max, now.steady + Self.starvedLook)
        }
    }

    private func read(_ queue: EndpointQueue, _ now: Moment, room: Bool) {
        let actions = queue.reads(now: now, room: room, mayLoad: isSending)
        waitingReads += actions.map { (queue.name, $0, queue.generation) }
    }

    private var maySend: Bool { isSending && results.hasRoom }

    /// - Parameter claim: the endpoint's before the delivery was taken.
    private func send(_ delivery: Delivery, _ queue: EndpointQueue, _ claim: SlotClaim, _ now: Moment) {
        slots.took(delivery, for: claim)
        services.metrics.inFlight.add(1)
        let name = queue.name
        guard let request = services.request.request(delivery, to: queue.settings, now: now.wall) else {
            let error = ModuleError.blocked("webhook.no_url", "the endpoint \(name) has no URL any more")
            return inbox.post(
                .completed(
                    CompletedRequest(
                        endpoint: name, delivery: delivery, claim: claim, url: "", result: .failure(error), started: now, ended: now)))
        }
        services.client.send(request) { [inbox] result in
            inbox.post(
                .completed(
                    CompletedRequest(
                        endpoint: name, delivery: delivery, claim: claim, url: request.url, result: result, started: now,
                        ended: .now())))
        }
    }

    private func completed(_ request: CompletedRequest, _ now: Moment) {
        slots.freed(request.delivery, of: request.claim)
        services.metrics.inFlight.add(-1)
        guard let queue = queues[request.endpoint] else { return }
        mark(request.endpoint)
        if case .failure(let error) = request.result, error.code == "http.client_closed" || error.code == "http.cancelled" {
            return using(queue) { queue.abandoned(request.delivery) }
        }
        let latency = request.ended.steady - request.started.steady
        let answer = Answer(request.result, from: request.url, now: now.wall)
        let (result, consequence) = using(queue) {
            queue.completed(
                request.delivery, answer, startedAt: request.started.wall, latency: latency, now: now, random: .random(in: 0...1))
        }
        results.add(result)
        services.metrics.attempted(result, answer.meaning, .milliseconds(latency))
        tell(consequence, queue, answer)
    }

    private func tell(_ consequence: EndpointQueue.Consequence, _ queue: EndpointQueue, _ answer: Answer) {
        let logger = services.logger
        if let reason = consequence.disable { services.disable(queue.name, reason) }
        if consequence.breakerOpened, queue.pace.failuresInARow == queue.pace.limits.breakerFailures {
            logger.warning(
                "endpoint fails and is paused: \(answer.error ?? "no answer")", ("endpoint", queue.name),
                ("failures", String(queue.pace.failuresInARow)))
        }
        if consequence.breakerClosed { logger.info("endpoint works again", ("endpoint", queue.name)) }
        if consequence.mustNoteFailing { services.noteFailing(queue.name, queue.failing.since) }
    }

    // MARK: Reading

    private func startReads() {
        var next = 0
        while readCount < Self.readLimit, next < waitingReads.count {
            let (name, action, generation) = waitingReads[next]
            next += 1
            // A queue that was unloaded since, and may be loading again, does not want it any more.
            guard queues[name]?.generation == generation else { continue }
            readCount += 1
            start(action, name, generation)
        }
        waitingReads.removeFirst(next)
    }

    private func start(_ action: ReadAction, _ name: String, _ generation: Int) {
        let (reader, inbox) = (services.reader, inbox)
        // A page is part of what may be queued, so that many endpoints with large bodies share it.
        let bytes = min(4 << 20, max(64 << 10, services.queuedBytes / 16))
        Task {
            let found = await reader.found(by: action, endpoint: name, bytes: bytes)
            inbox.post(.read(ReadResult(endpoint: name, generation: generation, action: action, found: found)))
        }
    }

    private func received(_ result: ReadResult) {
        readCount -= 1
        guard let queue = queues[result.endpoint], queue.generation == result.generation else { return }
        if case .failure(let error) = result.found {
            services.logger.debug("cannot read deliveries: \(error)", ("endpoint", result.endpoint))
            queue.failed(result.action)
            looks[result.endpoint] = Moment.now().steady + Self.failedReadPause
            return
        }
        using(queue) {
            switch (result.action, result.found) {
            case (.held, .held(let heads)): queue.received(held: heads)
            case (.due, .page(let page)): queue.received(due: page)
            case (.key(let read, _), .page(let page)): queue.received(page, of: read)
            case (.scan, .page(let page)): queue.received(scan: page)
            default: preconditionFailure("a read found what it was not asked for")
            }
        }
        mark(result.endpoint)
    }

    // MARK: Writing

    private func startWrite(_ now: Moment) {
        guard let batch = results.begin(now: now.steady) else { return }
        services.database.transaction(
            { [writer = services.results] connection in try writer.write(batch, now: Timestamp.now(), connection) },
            completion: { [inbox] in inbox.post(.written($0)) })
    }

    private func written(_ result: Result<Void, ModuleError>, _ now: Moment) {
        switch result {
        case .success:
            let (written, isBack) = results.succeeded()
            if isBack { services.logger.info("results of deliveries can be written again") }
            for result in written {
                queues[result.endpoint]?.wrote(result)
                mark(result.endpoint)
            }
        case .failure(let error):
            results.failed(now: now.steady)
            if results.failures & (results.failures - 1) == 0 {
                services.logger.warning("cannot write what became of deliveries: \(error); trying again", ("code", error.code))
            }
        }
    }

    // MARK: Stopping

    private func settleStop() {
        guard slots.count == 0 else { return }
        if results.isEmpty { givenBack.isDrained = true }
        // A database that is away does not hold the end up: what is not written is delivered again.
        if mustEnd, results.isEmpty || results.failures > 0 && !results.isWriting { hasEnded = true }
    }
}
