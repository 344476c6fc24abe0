public import Martlet
import Synchronization

/// Publishes a group's records on a bus, so that every host that subscribes can deliver them.
///
/// 1. decode: ``PubSubSinkConfig``.
/// 2. validate: the bus must be configured.
/// 3. open: nothing; the host opens the bus.
/// 4. write: one publish a batch. Each message says which offset was published before it, so that a receiver can
///    tell a lost message from a filtered one and reread the log.
/// 5. close: forgets what was published last.
public final class PubSubSink: PositionedSink {
    public typealias Config = PubSubSinkConfig

    public static let name = "pubsub"
    public static let summary = "Publishes records on a bus, for channels on every host that subscribes."

    private let bus: any PubSub
    private let channel: String
    private let sequencers = Mutex<[GroupPartition: MessageSequencer]>([:])

    public init?(config: Config, context: ModuleContext) {
        guard let bus = context.pubSub(config.pubsub) else { return nil }
        self.bus = bus
        channel = config.channel
    }

    /// A failed publish may have reached some subscribers; the records come again and receivers drop what they had.
    public var hasAtomicBatches: Bool { false }

    public func open() async throws {}

    /// Publishes records whose place among the group's others is not known: receivers take them as they come.
    public func write(_ batch: [Record]) async throws -> WriteResult {
        try await bus.publish(batch.map { Message(record: $0, previousOffset: nil) }, to: channel)
        return .handled
    }

    public func write(
        _ batch: [Record], of partition: GroupPartition, covering: Range<Offset>
    ) async throws -> WriteResult {
        var sequencer = sequencers.withLock { $0[partition] } ?? MessageSequencer()
        if !batch.isEmpty {
            try await bus.publish(sequencer.messages(of: batch, covering: covering), to: channel)
        }
        sequencer.published(batch, covering: covering)
        sequencers.withLock { [sequencer] in $0[partition] = sequencer }
        return .handled
    }

    public func close() async {
        sequencers.withLock { $0 = [:] }
    }
}
