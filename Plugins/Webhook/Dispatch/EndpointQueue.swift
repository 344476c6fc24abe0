import Martlet

/// One endpoint of a dispatcher: what is in memory of its deliveries, and what is to be done next. No I/O: it asks for
/// reads and sends, and is told what came of them.
///
/// Life: idle → loading → running → stopping → idle. It runs while the endpoint is active, this host owns it, and the
/// breaker is closed or due for a probe; otherwise it lets what is under way finish and forgets the rest, which the
/// database has.
final class EndpointQueue {
    private enum Phase {
        case idle, loading, running, stopping
    }

    /// Deliveries of one endpoint that are read ahead.
    private static let window = 1_000
    private static let pageRows = 500
    /// The breaker's probe needs one.
    private static let probeRows = 4
    /// Reads by key at the same time.
    private static let keyReads = 4

    private(set) var settings: EndpointSettings
    private(set) var pace: EndpointPace
    private(set) var lanes = LaneTable()
    private var standing: Standing
    private(set) var inFlight = 0
    /// Results that are not written yet.
    private(set) var unwritten = 0
    /// Changes when what was read before is not wanted any more.
    private(set) var generation = 0
    private let bounds: Bounds
    private var phase = Phase.idle
    private var cursor: Int64 = 0
    private var mayHaveMore = true
    /// Set when something new came while a scan was under way.
    private var mustScanAgain = false
    private var isScanning = false
    private var isReadingDue = false
    private var isReadingHeld = false
    private var hasAllHeld = false
    private var keysBeingRead = 0
    private(set) var failing: FailingSpell
    /// Milliseconds since the epoch; 0 if this host does not own the endpoint.
    private var leaseUntil: Int64 = 0
    private var mustGiveBack = false
    private var isDisabled = false

    init(_ settings: EndpointSettings, _ bounds: Bounds, now: Moment) {
        self.settings = settings
        self.bounds = bounds
        pace = EndpointPace(settings.pace, now: now.steady)
        failing = FailingSpell(noted: settings.failingSince)
        standing = settings.failingSince == nil ? .new : .hangs
    }

    var name: String { settings.name }
    var isIdle: Bool { phase == .idle }
    /// What lies in memory, about.
    var loadedBytes: Int { lanes.loadedBytes }

    // MARK: What changes from outside

    /// - Parameter isAnother: whether it takes the place of one of the same name that was removed.
    func update(_ settings: EndpointSettings, isAnother: Bool = false) {
        let wasActive = self.settings.state == .active
        self.settings = settings
        pace.limits = settings.pace
        // Until it is written down, the endpoint is disabled here alone.
        if settings.state != .active || isAnother { isDisabled = false }
        // An operator has resumed it.
        if settings.state == .active, !wasActive || isAnother {
            pace.reset()
            standing = .new
            failing = FailingSpell(noted: nil)
        }
    }

    /// - Parameters:
    ///   - until: milliseconds since the epoch; 0 if the host does not own the endpoint.
    ///   - mustGiveBack: the endpoint is to be another host's.
    func setLease(until: Int64, mustGiveBack: Bool) {
        leaseUntil = until
        self.mustGiveBack = mustGiveBack
    }

    /// Whether the endpoint is to be given back and nothing of it is under way.
    var canBeGivenBack: Bool { mustGiveBack && phase == .idle }

    /// New deliveries wait in the database.
    func signal() {
        mayHaveMore = true
        if isScanning { mustScanAgain = true }
    }

    /// The endpoint is being disabled: nothing more is sent.
    func disable() {
        isDisabled = true
    }

    // MARK: What is to be done

    /// - Parameters:
    ///   - room: whether memory allows more to be read.
    ///   - mayLoad: false once the dispatcher stops.
    func reads(now: Moment, room: Bool, mayLoad: Bool) -> [ReadAction] {
        let mustRun = mayLoad && shouldRun(now)
        switch phase {
        case .idle where mustRun:
            phase = .loading
            isReadingHeld = true
            return [.held(rows: bounds.heldKeys)]
        case .running where !mustRun:
            phase = .stopping
            return reads(now: now, room: room, mayLoad: mayLoad)
        case .running: return moreReads(now, room)
        case .stopping:
            if inFlight == 0, unwritten == 0 { unload() }
            return []
        case .idle, .loading: return []
        }
    }

    private func shouldRun(_ now: Moment) -> Bool {
        guard settings.state == .active, !isDisabled, !mustGiveBack, now.wall + bounds.leaseMargin < leaseUntil else { return false }
        if case .open(let until) = pace.breaker { return now.steady >= until }
        return true
    }

    private func unload() {
        phase = .idle
        generation += 1
        lanes = LaneTable()
        cursor = 0
        mayHaveMore = true
        isScanning = false
        isReadingDue = false
        isReadingHeld = false
        keysBeingRead = 0
    }

    private func moreReads(_ now: Moment, _ room: Bool) -> [ReadAction] {
        var actions: [ReadAction] = []
        let rows = pace.breaker == .closed ? Self.pageRows : Self.probeRows
        // Not while a read is under way, which was asked for fewer: those that it does not bring are given up.
        let isDue = !isReadingDue && lanes.markDue(now: now.wall)
        guard room || lanes.loadedCount == 0 else { return [] }
        if isDue, lanes.loadedCount < Self.window {
            isReadingDue = true
            actions.append(.due(now: lanes.dueThrough, rows: rows))
        }
        while keysBeingRead < Self.keyReads, let read = lanes.nextRead() {
            keysBeingRead += 1
            actions.append(.key(read, rows: LaneTable.laneLimit))
        }
        let held = lanes.heldCount + lanes.dueCount
        if !hasAllHeld, !isReadingHeld, held < bounds.heldKeys / 2 {
            isReadingHeld = true
            actions.append(.held(rows: bounds.heldKeys))
        }
        if mayHaveMore, !isScanning, hasAllHeld, held < bounds.heldKeys, lanes.loadedCount < Self.window / 2 {
            isScanning = true
            mustScanAgain = false
            actions.append(.scan(after: cursor, rows: rows))
        }
        return actions
    }

    /// For what it wants a slot.
    var claim: SlotClaim { SlotClaim(standing, inFlight: inFlight) }

    /// Whether it would send if it got a slot.
    func wantsSlot(now: Moment) -> Bool {
        phase == .running && lanes.hasNext && shouldRun(now) && pace.isReady(inFlight: inFlight, now: now.steady)
    }

    /// The next delivery to send, if the endpoint may get one now.
    func nextSend(now: Moment) -> Delivery? {
        guard phase == .running, lanes.hasNext, shouldRun(now), pace.admit(inFlight: inFlight, now: now.steady) else { return nil }
        guard let delivery = lanes.next() else { return nil }
        inFlight += 1
        return delivery
    }

    /// When to look again although nothing was heard of; nil if there is no need.
    func nextLook(now: Moment) -> Int64? {
        var waits: [Int64] = []
        if phase == .running {
            if let due = lanes.nextDue, !isReadingDue { waits.append(max(0, due - now.wall)) }
            if lanes.hasNext, let change = pace.nextChange(now: now.steady) { waits.append(max(0, change - now.steady)) }
        } else if case .open(let until) = pace.breaker, settings.state == .active {
            waits.append(max(0, until - now.steady))
        }
        return waits.min().map { now.steady + max(1, $0) }
    }

    // MARK: What came of it

    func received(held: [HeldDelivery]) {
        isReadingHeld = false
        if phase == .loading { phase = .running }
        hasAllHeld = held.count < bounds.heldKeys
        lanes.hold(held)
    }

    func received(scan page: DeliveryReader.Page) {
        isScanning = false
        lanes.add(page.deliveries)
        cursor = page.deliveries.last?.id ?? cursor
        if page.isLast { mayHaveMore = mustScanAgain }
    }

    func received(due page: DeliveryReader.Page) {
        isReadingDue = false
        lanes.addDue(page.deliveries, isLast: page.isLast)
    }

    func received(_ page: DeliveryReader.Page, of read: LaneTable.LaneRead) {
        keysBeingRead -= 1
        lanes.add(page.deliveries, of: read, isLast: page.isLast)
    }

    /// A read failed; it is made again the next time that ``reads(now:room:mayLoad:)`` is asked.
    func failed(_ action: ReadAction) {
        switch action {
        case .held:
            isReadingHeld = false
            if phase == .loading { phase = .idle }
        case .due: isReadingDue = false
        case .key(let read, _):
            keysBeingRead -= 1
            lanes.failed(read)
        case .scan: isScanning = false
        }
    }

    /// An attempt has ended.
    ///
    /// - Parameter random: from 0 to 1.
    func completed(
        _ delivery: Delivery, _ answer: Answer, startedAt: Int64, latency: Int64, now: Moment, random: Double
    ) -> (AttemptResult, Consequence) {
        inFlight -= 1
        unwritten += 1
        standing.attempted(answer, latency: latency)
        var consequence = Consequence()
        var failures = delivery.failures
        let next: AttemptResult.Next
        switch answer.meaning {
        case .delivered:
            consequence.breakerClosed = pace.succeeded()
            failing.succeeded()
            lanes.left(delivery)
            next = .delivered
        case .gone:
            consequence.disable = answer.error
            isDisabled = true
            lanes.left(delivery)
            failures += 1
            next = .failed
        case .overloaded, .failed:
            failures += 1
            let retryAfter = answer.retryAfter.map { min($0, bounds.schedule.retryAfterLimit) }
            if let wait = bounds.schedule.wait(failures: failures, retryAfter: retryAfter, random: random) {
                lanes.hold(delivery)
                next = .retry(dueAt: now.wall + wait)
            } else {
                lanes.left(delivery)
                next = .failed
            }
            consequence.breakerOpened = pace.failed(
                isOverloaded: answer.meaning == .overloaded, retryAfter: retryAfter, now: now.steady)
            consequence.disable = failedTooLong(answer, now.wall)
        }
        consequence.mustNoteFailing = failing.mustNote(now: now.wall, isPaused: consequence.breakerOpened)
        let result = AttemptResult(
            endpoint: name, delivery: delivery.id, key: delivery.key, attempt: delivery.attempts + 1, failures: failures, startedAt: startedAt,
            latencyMilliseconds: latency, status: answer.status, error: answer.error, answer: answer.body, next: next)
        return (result, consequence)
    }

    private func failedTooLong(_ answer: Answer, _ now: Int64) -> String? {
        failing.failed(now: now)
        guard let since = failing.since, now - since >= bounds.disableAfter else { return nil }
        isDisabled = true
        return "every attempt since \(LogOutput.utc(since)) has failed; the last one: \(answer.error ?? "no answer")"
    }

    /// An attempt was given up because the channel closes: it is as if it had not been made.
    func abandoned(_ delivery: Delivery) {
        inFlight -= 1
        lanes.left(delivery)
    }

    /// The database has a result.
    func wrote(_ result: AttemptResult) {
        unwritten -= 1
        if case .retry(let dueAt) = result.next { lanes.schedule(result.delivery, result.key, at: dueAt) }
    }
}
