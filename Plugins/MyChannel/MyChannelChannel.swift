public import Martlet
import Synchronization

/// Keeps the newest messages in memory and serves them as a JSON array.
///
/// 1. decode: ``Config``.
/// 2. validate: nothing; the platform checks the path.
/// 3. open: the route answers; what was kept before is forgotten.
/// 4. deliver: a message that comes again, after a retry or a reset, is kept once.
/// 5. close: the route answers 503.
public final class MyChannelChannel: DeliveryChannel, RouteProviding {
    public struct Config: ModuleConfig {
        let path: ConfigText
        let keepEvents: Int

        public init(from fields: inout ConfigFields) {
            path = fields.required("path", "The path of the route, for GET.", example: "/newest")
            keepEvents = fields.optional(
                "keep_events", default: 100, in: 1...10_000, "How many messages are kept; older ones are forgotten.")
        }
    }

    /// Where a message came from.
    private struct Place: Hashable {
        let topic: TopicName
        let partition: PartitionID
        let offset: Offset
        let index: Int32
    }

    private struct State {
        var isOpen = false
        var kept: [(place: Place, payload: Bytes)] = []
    }

    public static let name = "my_channel"
    public static let summary = "Keeps the newest messages and serves them over HTTP."

    private let path: String
    private let keepEvents: Int
    private let payloads: any PayloadReader
    private let state = Mutex(State())

    public init?(config: Config, context: ModuleContext) {
        path = config.path.plain
        keepEvents = config.keepEvents
        payloads = context.payloads
    }

    public var routes: [Route] {
        [Route("GET", path) { [self] exchange in exchange.respond(answer) }]
    }

    public func open(replay: (any MessageReplay)?) async throws {
        state.withLock { $0 = State(isOpen: true) }
    }

    public func deliver(_ messages: [Message]) async throws -> WriteResult {
        try state.withLock { state in
            guard state.isOpen else { throw ModuleError.transient("my_channel.closed", "the channel is not open") }
            for message in messages {
                let record = message.record
                let place = Place(
                    topic: record.topic, partition: record.partition, offset: record.offset, index: record.index)
                if state.kept.contains(where: { $0.place == place }) { continue }
                state.kept.append((place, record.event.payload))
            }
            state.kept.removeFirst(max(0, state.kept.count - keepEvents))
        }
        return .handled
    }

    public func close() async {
        state.withLock { $0 = State() }
    }

    /// The newest message comes last. A payload that is no JSON becomes a string.
    private var answer: HTTPResponse {
        let (isOpen, kept) = state.withLock { ($0.isOpen, $0.kept.map(\.payload)) }
        guard isOpen else {
            return ProblemDetails(status: 503, title: "The channel is closed").response(headers: [("Retry-After", "1")])
        }
        let items = kept.map { payload in
            (try? payloads.check(payload)) == nil ? JSONText.quoted(payload.string) : payload.string
        }
        return HTTPResponse(
            status: 200, headers: [("Content-Type", "application/json")],
            body: Bytes("[\(items.joined(separator: ","))]\n"))
    }
}
