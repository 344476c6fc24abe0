import Martlet
import Synchronization

/// An open channel: takes messages from the bus, keeps their stream whole, and hands it to the shards.
final class StreamHub: Sendable {
    private struct State {
        /// Nil without a replay.
        var feed: LiveFeed?
        var isRepairing = false
        var mustCompare = false
        /// Where the log ended when a client resumed a moment ago; nil if nobody did.
        var awaited: [ReplayTopic]?
        /// And when others have resumed since.
        var awaitedNext: [ReplayTopic]?
        var isClosed = false
        var repair: Task<Void, Never>?
    }

    /// Messages that one reading of a repair may bring.
    private static let repairPage = 1_000
    /// What is in the log may take so long over the bus.
    private static let busPatience = Duration.milliseconds(500)

    let shards: [Shard]
    let limits: ConnectionLimits
    let replay: (any MessageReplay)?
    let matcher: MessageMatcher
    let services: HubServices
    let settings: StreamSettings
    let metrics: StreamMetrics
    let logger: Logger
    private let state: Mutex<State>

    /// - Parameter ends: where the replay's topics end, as the log said it a moment ago; nil without a replay.
    init(
        replay: (any MessageReplay)?, ends: [ReplayTopic]?, loops: any EventLoops, settings: StreamSettings, renderer: EventRenderer,
        matcher: MessageMatcher, limits: ConnectionLimits, metrics: StreamMetrics, logger: Logger
    ) {
        let feed = ends.map { LiveFeed($0) }
        let services = HubServices(loops: loops, limits: limits, replay: replay, layout: feed?.layout, isBroadcast: matcher.matchesEverything)
        let positions = feed?.positions ?? StreamPositions(topics: [])
        self.services = services
        shards = (0..<loops.count).map { index in
            Shard(
                index: index, layout: feed?.layout, positions: positions, renderer: renderer, settings: settings,
                metrics: metrics, services: services, logger: logger)
        }
        state = Mutex(State(feed: feed))
        self.settings = settings
        self.replay = replay
        self.matcher = matcher
        self.limits = limits
        self.metrics = metrics
        self.logger = logger
    }

    func start() {
        for shard in shards { services.loops.execute(on: shard.index) { shard.startHeartbeat() } }
    }

    // MARK: The live stream

    /// Hands messages to the shards; waits while one of them is far behind.
    func deliver(_ messages: [Message]) async {
        await waitForRoom()
        take(messages)
    }

    /// Hands messages to the shards; false, and none is taken, while one of them is far behind.
    func deliverNow(_ messages: [Message]) -> Bool {
        guard services.inboxes.allSatisfy(\.hasRoom) else { return false }
        take(messages)
        return true
    }

    private func waitForRoom() async {
        await services.room.wait { [services] in services.inboxes.allSatisfy(\.hasRoom) }
    }

    private func take(_ messages: [Message]) {
        let startsRepair = state.withLock { state in
            var items: [LiveItem] = []
            items.reserveCapacity(messages.count)
            var isBehind = false
            for message in messages {
                switch state.feed?.take(message) ?? .foreign {
                case .deliver(let slot):
                    items.append(item(message, slot))
                case .foreign:
                    if let key = matcher.key(of: message) { items.append(.foreign(message, key: key)) }
                case .duplicate:
                    break
                case .deferred(let startsRepair):
                    if startsRepair { metrics.repairs.add() }
                    isBehind = true
                }
            }
            hand(items)
            return isBehind && Self.beginRepair(&state)
        }
        if startsRepair { runRepair() }
    }

    private func item(_ message: Message, _ slot: StreamSlot) -> LiveItem {
        guard let key = matcher.key(of: message) else { return .advance(slot, StreamPlace(after: message)) }
        return .message(LiveMessage(message, key: key, slot: slot))
    }

    /// Called under the lock, so that every shard gets the items in the same order.
    private func hand(_ items: [LiveItem]) {
        if items.isEmpty { return }
        guard let presence = services.presence else {
            for shard in shards { hand(items, isUrgent: true, to: shard) }
            return
        }
        presence.split(items, among: shards.count) { index, batch in
            hand(batch.items, isUrgent: batch.isUrgent, to: shards[index])
        }
    }

    private func hand(_ items: [LiveItem], isUrgent: Bool, to shard: Shard) {
        guard services.inboxes[shard.index].add(items, isUrgent: isUrgent) else { return }
        services.loops.execute(on: shard.index) { [services] in services.takeWaiting(for: shard) }
    }

    // MARK: Repairs

    /// The bus may have lost messages.
    func mayHaveMissedMessages() {
        let startsRepair = state.withLock { state in
            guard state.feed != nil else {
                hand([.loss])
                return false
            }
            state.mustCompare = true
            return Self.beginRepair(&state)
        }
        if startsRepair { runRepair() }
    }

    /// A client that resumes saw the log end here. If the bus has not brought what is before these ends a moment later,
    /// it is away, and the log is read in its place: a client that comes back catches up all the same.
    func expect(upTo ends: [ReplayTopic]) {
        let isFirst = state.withLock { state in
            guard state.awaited != nil else {
                state.awaited = ends
                return !state.isClosed
            }
            state.awaitedNext = ends
            return false
        }
        if isFirst { Task { await waitForBus() } }
    }

    /// Gives the bus its time for each end that is awaited; what was noted meanwhile has its own.
    private func waitForBus() async {
        while true {
            try? await Task.sleep(for: Self.busPatience)
            let (startsRepair, goesOn) = state.withLock { state in
                let behind = state.feed?.missed(upTo: state.awaited ?? []) ?? 0
                state.awaited = state.isClosed ? nil : state.awaitedNext
                state.awaitedNext = nil
                metrics.repairs.add(behind)
                return (behind > 0 && Self.beginRepair(&state), state.awaited != nil)
            }
            if startsRepair { runRepair() }
            if !goesOn { return }
        }
    }

    private static func beginRepair(_ state: inout State) -> Bool {
        guard !state.isRepairing, !state.isClosed else { return false }
        state.isRepairing = true
        return true
    }

    private func runRepair() {
        let task = Task { await repair() }
        state.withLock { $0.repair = task }
    }

    /// Rereads what the bus lost until nothing is behind. One runs at a time.
    private func repair() async {
        guard let replay else { return }
        var wait = Duration.milliseconds(100)
        while let step = nextRepairStep() {
            do {
                switch step {
                case .compare:
                    let ends = try await replay.ends()
                    let behind = state.withLock { $0.feed?.missed(upTo: ends) ?? 0 }
                    metrics.repairs.add(behind)
                case .read(let read, let topic):
                    try await reread(read, topic, replay)
                }
                wait = .milliseconds(100)
            } catch {
                if step.isCompare { state.withLock { $0.mustCompare = true } }
                logger.warning("the log cannot be reread: \(error)", ("retry_in", "\(wait)"))
                guard (try? await Task.sleep(for: wait)) != nil else { continue }
                wait = min(wait * 2, .seconds(10))
            }
        }
    }

    private enum RepairStep {
        case compare
        case read(LiveFeed.RepairRead, TopicName)

        var isCompare: Bool {
            if case .compare = self { true } else { false }
        }
    }

    private func nextRepairStep() -> RepairStep? {
        state.withLock { state in
            if !state.isClosed, state.mustCompare {
                state.mustCompare = false
                return .compare
            }
            if !state.isClosed, let feed = state.feed, let read = feed.nextRead {
                return .read(read, feed.layout.topics[read.slot.topic])
            }
            state.isRepairing = false
            return nil
        }
    }

    private func reread(_ read: LiveFeed.RepairRead, _ topic: TopicName, _ replay: any MessageReplay) async throws {
        await waitForRoom()
        let page = try await replay.read(
            topic: topic, partition: PartitionID(read.slot.partition), keys: nil, from: read.from.offset, to: read.to,
            limit: Self.repairPage)
        if page.messages.isEmpty, page.next > read.from.offset { try await checkEnd(page.next, read, topic, replay) }
        let items = state.withLock { state -> [LiveItem] in
            let items = state.feed?.repaired(read, page, key: matcher.key(of:)) ?? []
            hand(items)
            return items
        }
        if items.isEmpty { throw Self.behind(read, topic) }
    }

    /// What the bus brings may be of another log, and its place beyond this one's end: the stream does not go there, or what
    /// comes at the places before would be taken for repeated.
    private func checkEnd(_ next: Offset, _ read: LiveFeed.RepairRead, _ topic: TopicName, _ replay: any MessageReplay) async throws {
        let offsets = try await replay.ends().first { $0.topic == topic }?.offsets ?? []
        let end = read.slot.partition < offsets.count ? offsets[read.slot.partition] : 0
        guard next <= end else { throw Self.behind(read, topic) }
    }

    private static func behind(_ read: LiveFeed.RepairRead, _ topic: TopicName) -> ModuleError {
        .transient("sse.log_behind_bus", "the log has nothing at offset \(read.from.offset) of \(topic)/\(read.slot.partition) yet")
    }

    // MARK: The end

    /// Tells the clients when to come back, and returns when all are gone or at the deadline.
    func drain(within grace: Duration) async {
        limits.close()
        // 2,000 clients a second come back, over half a minute at most.
        let spread = min(Duration.seconds(30), Duration.milliseconds(limits.count / 2))
        for shard in shards { services.loops.execute(on: shard.index) { shard.drain(spread: spread) } }
        await limits.waitUntilEmpty(atMost: grace)
    }

    func close() async {
        limits.close()
        let repair = state.withLock { state in
            state.isClosed = true
            return state.repair
        }
        repair?.cancel()
        for inbox in services.inboxes { inbox.close() }
        services.room.signal()
        services.close()
        for shard in shards { services.loops.execute(on: shard.index) { shard.close() } }
        await limits.waitUntilEmpty(atMost: .seconds(1))
    }
}
