public import Martlet
import Synchronization

/// Keeps event streams (WHATWG) open to clients and writes to each the messages that it matches.
///
/// 1. decode: ``SSEChannelConfig``.
/// 2. validate: templates must compile; a stream that resumes matches by `${@key}` or not at all.
/// 3. open: asks the log for its ends, where the live stream begins. Transient while the log cannot tell.
/// 4. work: `deliver` hands messages to the event loops; each loop writes to its own connections.
/// 5. drain: clients are told to reconnect, each at another time. close: streams end.
public final class SSEChannel: DeliveryChannel, RouteProviding {
    public typealias Config = SSEChannelConfig

    public static let name = "sse"
    public static let summary = "Server-sent events: streams that resume from the log by Last-Event-ID."

    private let path: String
    private let settings: StreamSettings
    private let renderer: EventRenderer
    private let matcher: MessageMatcher
    private let connectionKey: TemplateSet?
    private let matchPlace: ConfigPlace?
    private let loops: any EventLoops
    private let payloads: any PayloadReader
    private let metrics: StreamMetrics
    private let logger: Logger
    private let maxConnections: Int
    private let maxConnectionsPerKey: Int
    private let hub = Mutex<StreamHub?>(nil)

    public init?(config: Config, context: ModuleContext) {
        let message = config.match.map { context.template($0.message, allowing: [.record, .header]) }
        let connection = config.match.map { context.template($0.connection, allowing: ExchangeVariables.kinds) }
        let eventName = config.eventName.map { context.template($0, allowing: [.record, .header]) }
        let data = config.data.map { context.payloadTemplate($0, allowing: [.record, .header]) }
        if case .some(.none) = message { return nil }
        if case .some(.none) = connection { return nil }
        if case .some(.none) = eventName { return nil }
        if case .some(.none) = data { return nil }
        path = config.path.plain
        payloads = context.payloads
        loops = context.loops
        logger = context.logger
        metrics = StreamMetrics(context.metrics, channel: context.name)
        matcher = MessageMatcher(message ?? nil, payloads: context.payloads)
        connectionKey = (connection ?? nil).map { TemplateSet([$0]) }
        matchPlace = config.match?.message.place
        maxConnections = config.maxConnections
        maxConnectionsPerKey = config.maxConnectionsPerKey
        renderer = EventRenderer(
            eventName: eventName ?? nil, data: data ?? nil, payloads: context.payloads, eventLimit: config.bufferBytes / 2)
        settings = StreamSettings(
            retryMilliseconds: config.retryMilliseconds, heartbeat: .seconds(config.heartbeatSeconds),
            bufferBytes: config.bufferBytes, isBroadcast: config.match == nil)
    }

    public var replayRefusal: String? {
        matcher.canReplay
            ? nil : "streams that resume find what they missed by key: `match.message` must be \"${@key}\", or there must be no `match`"
    }

    public func open(replay: (any MessageReplay)?) async throws {
        if replay != nil, let replayRefusal { throw ModuleError.blocked("sse.match_without_key", replayRefusal) }
        let limits = ConnectionLimits(total: maxConnections, perKey: maxConnectionsPerKey)
        let ends = try await replay?.ends()
        let opened = StreamHub(
            replay: replay, ends: ends, loops: loops, settings: settings, renderer: renderer, matcher: matcher, limits: limits,
            metrics: metrics, logger: logger)
        hub.withLock { $0 = opened }
        opened.start()
    }

    public func deliver(_ messages: [Message]) async throws -> WriteResult {
        guard let hub = hub.withLock({ $0 }) else {
            throw ModuleError.transient("sse.closed", "the channel is not open")
        }
        await hub.deliver(messages)
        return .handled
    }

    public func mayHaveMissedMessages() {
        hub.withLock { $0 }?.mayHaveMissedMessages()
    }

    public func drain(within grace: Duration) async {
        await hub.withLock { $0 }?.drain(within: grace)
    }

    public func close() async {
        let closing = hub.withLock { hub in
            defer { hub = nil }
            return hub
        }
        await closing?.close()
    }

    // MARK: Connections

    public var routes: [Route] {
        [
            Route("GET", path) { [self] exchange in connect(exchange) },
            Route("HEAD", path) { exchange in
                exchange.respond(HTTPResponse(status: 200, headers: StreamRequest.headers))
            },
        ]
    }

    private func connect(_ exchange: any HTTPExchange) {
        do throws(StreamRefusal) {
            guard let hub = hub.withLock({ $0 }) else { throw .closed }
            let request = try StreamRequest(exchange, key: key(of: exchange))
            try hub.connect(request, exchange)
        } catch {
            exchange.respond(error.response)
        }
    }

    private func key(of exchange: any HTTPExchange) throws(StreamRefusal) -> Bytes {
        guard let connectionKey else { return .empty }
        do throws(ModuleError) {
            let values = try connectionKey.evaluate(TemplateInput(variables: ExchangeVariables(exchange)), with: payloads)
            if let key = values.first?.keyBytes { return key }
        } catch {
            throw .unmatched(error.message)
        }
        throw .unmatched("the request has no value for `match.connection`")
    }
}
