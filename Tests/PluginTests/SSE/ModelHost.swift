import Martlet
import MartletTesting
@testable import SSEPlugin

/// One host of the model: a feed and two shards, with everything that crosses threads in queues that the model runs
/// when it likes.
final class ModelHost: ShardServices, @unchecked Sendable {
    // Unchecked: the model is one thread.
    let replay: MemoryReplay
    var feed: LiveFeed
    var shards: [Shard] = []
    /// Batches on their way from the bus.
    var bus: [[Message]] = []
    /// Items on their way to each shard.
    var inboxes: [[[LiveItem]]] = [[], []]
    private let presence = KeyPresence()
    /// A page of a repair that was read and not taken yet.
    var repair: (read: LiveFeed.RepairRead, page: ReplayPage)?
    /// Pages for connections: asked for, and read.
    var asked: [(read: ConnectionRead, connection: Connection, shard: Shard)] = []
    var answers: [(read: ConnectionRead, connection: Connection, shard: Shard, result: Result<ReplayPage, ModuleError>)] = []
    var timers: [(shard: Shard, work: @Sendable (Shard) -> Void)] = []
    var mustCompare = false

    init(replay: MemoryReplay, bufferBytes: Int) throws {
        self.replay = replay
        feed = LiveFeed(try replay.ends())
        let renderer = EventRenderer(
            eventName: nil, data: nil, payloads: MissingPayloadReader(), eventLimit: bufferBytes / 2)
        let settings = StreamSettings(
            retryMilliseconds: 10, heartbeat: .seconds(1), bufferBytes: bufferBytes, isBroadcast: false)
        let metrics = StreamMetrics(MetricsRegistry(), channel: "model")
        let logger = Logger(output: LogOutput(minimum: .error, format: .text) { _ in })
        shards = (0..<2).map { index in
            Shard(
                index: index, layout: feed.layout, positions: feed.positions, renderer: renderer, settings: settings,
                metrics: metrics, services: self, logger: logger)
        }
    }

    // MARK: ShardServices

    func read(_ read: ConnectionRead, for connection: Connection, of shard: Shard) {
        asked.append((read, connection, shard))
    }

    func schedule(_ shard: Shard, after delay: Duration, _ work: @escaping @Sendable (Shard) -> Void) {
        timers.append((shard, work))
    }

    func released(_ connection: Connection) {}

    func attend(to key: Bytes, _ shard: Shard) { presence.add(key, shard: shard.index) }

    func forget(_ key: Bytes, _ shard: Shard) { presence.remove(key, shard: shard.index) }

    func takeWaiting(for shard: Shard) {
        while !inboxes[shard.index].isEmpty { takeFromInbox(shard.index) }
    }

    // MARK: Steps

    /// The hub takes a batch from the bus.
    func takeFromBus() {
        guard !bus.isEmpty else { return }
        var items: [LiveItem] = []
        for message in bus.removeFirst() {
            guard case .deliver(let slot) = feed.take(message) else { continue }
            items.append(item(message, slot))
        }
        hand(items)
    }

    private func item(_ message: Message, _ slot: StreamSlot) -> LiveItem {
        guard let key = message.record.event.key else { return .advance(slot, StreamPlace(after: message)) }
        return .message(LiveMessage(message, key: key, slot: slot))
    }

    private func hand(_ items: [LiveItem]) {
        if items.isEmpty { return }
        presence.split(items, among: inboxes.count) { index, batch in inboxes[index].append(batch.items) }
    }

    func takeFromInbox(_ index: Int) {
        guard !inboxes[index].isEmpty else { return }
        shards[index].apply(inboxes[index].removeFirst())
    }

    /// Reads a page of a repair, or takes the one that was read.
    func stepRepair(limit: Int) throws {
        if let (read, page) = repair {
            repair = nil
            hand(feed.repaired(read, page) { $0.record.event.key })
            return
        }
        if mustCompare {
            mustCompare = false
            _ = feed.missed(upTo: try replay.ends())
        }
        guard let read = feed.nextRead else { return }
        let page = try replay.page(
            topic: feed.layout.topics[read.slot.topic], partition: PartitionID(read.slot.partition), keys: nil,
            from: read.from.offset, to: read.to, limit: limit)
        repair = (read, page)
    }

    /// Reads a page for the connection that asked at `index`.
    func readPage(_ index: Int, limit: Int, fails: Bool) {
        let (read, connection, shard) = asked.remove(at: index)
        let failure = ModuleError.transient("test.log_away", "the log is away")
        let page = try? replay.page(
            topic: feed.layout.topics[read.slot.topic], partition: PartitionID(read.slot.partition), keys: read.keys,
            from: read.from, to: read.to, limit: limit)
        answers.append((read, connection, shard, fails ? .failure(failure) : page.map { .success($0) } ?? .failure(failure)))
    }

    func answer(_ index: Int) {
        let (read, connection, shard, result) = answers.remove(at: index)
        shard.received(read, for: connection, result)
    }

    func runTimer(_ index: Int) {
        let (shard, work) = timers.remove(at: index)
        work(shard)
    }

    var isIdle: Bool {
        bus.isEmpty && inboxes.allSatisfy(\.isEmpty) && repair == nil && !mustCompare && feed.nextRead == nil
            && asked.isEmpty && answers.isEmpty && timers.isEmpty
    }
}
