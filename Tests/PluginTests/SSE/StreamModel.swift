import Martlet
import MartletTesting
import TestSupport
@testable import SSEPlugin

/// Two hosts, a group that publishes from a log, a bus that loses messages, and clients that come and go, all stepped
/// by one seeded generator.
struct StreamModel {
    /// How the group stands in one partition.
    private struct Worker {
        var next: Offset = 0
        var committed: Offset = 0
        var sequencer = MessageSequencer()
    }

    static let topic: TopicName = "notifications"
    static let keys = ["ann", "bob", "cleo", "dan"]

    private var random: SeededGenerator
    private let replay: MemoryReplay
    private let hosts: [ModelHost]
    private var workers: [Worker]
    private(set) var clients: [ModelClient]
    /// By key, what its streams hold in the order of publication: partition and data.
    private(set) var published: [String: [(partition: PartitionID, data: String)]] = [:]
    private var nextNumber = 0
    private let hasRetention: Bool

    init(seed: UInt64, hasRetention: Bool = false) throws {
        random = SeededGenerator(seed: seed)
        let partitions = Int.random(in: 1...3, using: &random)
        replay = MemoryReplay([(Self.topic, partitions)], transform: Self.transform)
        workers = Array(repeating: Worker(), count: partitions)
        clients = Self.keys.flatMap { [ModelClient(key: $0, start: "earliest"), ModelClient(key: $0, start: "latest")] }
        self.hasRetention = hasRetention
        let replay = replay
        // A small buffer makes slow clients soon.
        hosts = try (0..<2).map { _ in try ModelHost(replay: replay, bufferBytes: 400) }
    }

    /// Every fourth record is filtered, and every fifth becomes three.
    @Sendable private static func transform(_ record: Record) -> [Record] {
        guard let number = Int(record.event.payload.string) else { return [] }
        if number % 4 == 3 { return [] }
        if number % 5 != 0 { return [record] }
        return (0..<3).map { part in
            var copy = record
            copy.event.payload = Bytes("\(number).\(part)")
            return copy
        }
    }

    // MARK: Random steps

    mutating func step() throws {
        let host = hosts[Int.random(in: 0...1, using: &random)]
        switch Int.random(in: 0..<100, using: &random) {
        case 0..<15: publish()
        case 15..<30: try work(Int.random(in: workers.indices, using: &random))
        case 30..<40: host.takeFromBus()
        case 40..<55: host.takeFromInbox(Int.random(in: 0...1, using: &random))
        case 55..<62: try host.stepRepair(limit: 3)
        case 62..<68:
            if let index = host.asked.indices.randomElement(using: &random) {
                host.readPage(index, limit: 3, fails: Int.random(in: 0..<8, using: &random) == 0)
            }
        case 68..<76: if let index = host.answers.indices.randomElement(using: &random) { host.answer(index) }
        case 76..<80: if let index = host.timers.indices.randomElement(using: &random) { host.runTimer(index) }
        case 80..<86: try connect(clients.indices.randomElement(using: &random) ?? 0)
        case 86..<89: disconnect(clients.indices.randomElement(using: &random) ?? 0)
        case 89..<92: clients.randomElement(using: &random)?.stream?.stall()
        case 92..<95: clients.randomElement(using: &random)?.stream?.drain()
        default: misfortune(host)
        }
        notice()
    }

    private mutating func misfortune(_ host: ModelHost) {
        switch Int.random(in: 0..<12, using: &random) {
        case 0..<4: if !host.bus.isEmpty { host.bus.removeFirst() }
        case 4: if let index = host.bus.first?.indices.randomElement(using: &random) { host.bus[0].remove(at: index) }
        case 5: if let first = host.bus.first { host.bus.insert(first, at: 0) }
        case 6: host.mustCompare = true
        case 7..<10: restartWorker(Int.random(in: workers.indices, using: &random))
        case 10: if workers.count < 6 { addPartition() }
        default: if hasRetention { retain() }
        }
    }

    private mutating func publish() {
        guard let key = Self.keys.randomElement(using: &random) else { return }
        let partition = replay.partition(of: Bytes(key), topic: Self.topic) ?? 0
        let event = Event(id: Bytes("e\(nextNumber)"), key: Bytes(key), payload: Bytes("\(nextNumber)"), timestamp: 0)
        nextNumber += 1
        let record = replay.append(event, to: Self.topic, partition: partition)
        for output in replay.outputs(of: record) {
            published[key, default: []].append((partition, output.event.payload.string))
        }
    }

    /// The group reads a batch of one partition, publishes what the transforms leave, and commits now and then.
    private mutating func work(_ index: Int) throws {
        let partition = PartitionID(index)
        let end = try replay.ends()[0].offsets[index]
        let start = try replay.starts()[0].offsets[index]
        let from = max(workers[index].next, start)
        let to = min(end, from + Offset.random(in: 1...4, using: &random))
        guard from < to else { return }
        let page = try replay.page(topic: Self.topic, partition: partition, keys: nil, from: from, to: to, limit: .max)
        let batch = page.messages.map(\.record)
        let covering = from..<to
        let messages = workers[index].sequencer.messages(of: batch, covering: covering)
        if !messages.isEmpty { for host in hosts { host.bus.append(messages) } }
        workers[index].sequencer.published(batch, covering: covering)
        workers[index].next = to
        if Bool.random(using: &random) { workers[index].committed = to }
    }

    /// The group's host died: what was not committed comes again, in other batches.
    private mutating func restartWorker(_ index: Int) {
        workers[index] = Worker(next: workers[index].committed, committed: workers[index].committed)
    }

    private mutating func addPartition() {
        replay.addPartition(to: Self.topic)
        workers.append(Worker())
    }

    private mutating func retain() {
        guard let ends = try? replay.ends()[0].offsets, let starts = try? replay.starts()[0].offsets else { return }
        let partition = Int.random(in: ends.indices, using: &random)
        replay.remove(
            before: Offset.random(in: starts[partition]...ends[partition], using: &random), topic: Self.topic,
            partition: PartitionID(partition))
    }

    // MARK: Clients

    private mutating func connect(_ index: Int) throws {
        guard clients[index].stream == nil else { return }
        let place = (host: Int.random(in: 0...1, using: &random), shard: Int.random(in: 0...1, using: &random))
        let host = hosts[place.host]
        let shard = host.shards[place.shard]
        let exchange = FakeExchange(loopIndex: place.shard)
        let start = StreamStart(header: clients[index].lastEventID, query: clients[index].start)
        let key = Bytes(clients[index].key)
        let asked: StreamPositions? =
            switch start.question {
            case nil: nil
            case .starts: StreamPositions(try replay.starts())
            case .ends: StreamPositions(try replay.ends())
            }
        shard.prepare(for: StreamPeer(keys: [key]))
        let beginning = StreamBeginning(
            start, keys: [key], layout: shard.layout, live: shard.positions, asked: asked, replay: replay)
        if !clients[index].hasConnected {
            clients[index].hasConnected = true
            clients[index].publishedBefore = published[clients[index].key]?.count ?? 0
        }
        shard.open(exchange, StreamPeer(keys: [key]), beginning)
        clients[index].stream = exchange.stream
        clients[index].place = place
    }

    private mutating func disconnect(_ index: Int) {
        clients[index].stream?.leave()
        clients[index].ended()
    }

    /// Clients notice that the host has ended their stream.
    private mutating func notice() {
        for index in clients.indices where clients[index].stream?.isClosed == true { disconnect(index) }
    }

    // MARK: The end

    /// Everything is mended and runs until nothing is left to do, with every client connected.
    mutating func settle() throws {
        for round in 0..<10_000 {
            for index in clients.indices {
                clients[index].stream?.drain()
                try connect(index)
            }
            for index in workers.indices { try work(index) }
            for host in hosts {
                if round == 50 { host.mustCompare = true }
                host.takeFromBus()
                try host.stepRepair(limit: 3)
                for index in 0...1 { host.takeFromInbox(index) }
                if !host.asked.isEmpty { host.readPage(0, limit: 3, fails: false) }
                if !host.answers.isEmpty { host.answer(0) }
                if !host.timers.isEmpty { host.runTimer(0) }
            }
            notice()
            if round > 50, hosts.allSatisfy(\.isIdle), clients.allSatisfy({ $0.stream != nil }) { break }
        }
        for index in clients.indices { disconnect(index) }
    }

    var isIdle: Bool { hosts.allSatisfy(\.isIdle) }
}
