public import Martlet
import Synchronization

/// Keeps event streams (WHATWG) open to clients and writes to each the messages that it matches.
///
/// 1. decode: ``SSEChannelConfig``.
/// 2. validate: templates must compile; a stream that resumes matches by `${@key}` or not at all.
/// 3. open: asks the log for its ends, where the live stream begins. Transient while the log cannot tell.
/// 4. work: `deliver` hands messages to the event loops; each loop writes to its own connections.
/// 5. drain: clients are told to reconnect, each at another time. close: streams end.
public final class SSEChannel: DeliveryChannel, ImmediateDelivery, RouteProviding {
    public typealias Config = SSEChannelConfig

    public static let name = "sse"
    public static let summary = "Server-sent events: streams that resume from the log by Last-Event-ID."

    private let path: String
    private let settings: StreamSettings
    private let renderer: EventRenderer
    private let matcher: MessageMatcher
    private let recipients: Recipients?
    private let loops: any EventLoops
    private let payloads: any PayloadReader
    private let metrics: StreamMetrics
    private let logger: Logger
    private let maximums: ConnectionLimits.Maximums
    private let hub = Mutex<StreamHub?>(nil)

    public init?(config: Config, context: ModuleContext) {
        let message = config.match.map { context.template($0.message, allowing: [.record, .header]) }
        let connection = config.match.map { context.template($0.connection, allowing: context.access.variables) }
        let eventName = config.eventName.map { context.template($0, allowing: [.record, .header]) }
        let data = config.data.map { context.payloadTemplate($0, allowing: [.record, .header]) }
        if case .some(.none) = message { return nil }
        if case .some(.none) = connection { return nil }
        if case .some(.none) = eventName { return nil }
        if case .some(.none) = data { return nil }
        if let match = config.match, let connection, !Self.isGuarded(match, connection, context) { return nil }
        path = config.path.plain
        payloads = context.payloads
        loops = context.loops
        logger = context.logger
        metrics = StreamMetrics(context.metrics, channel: context.name)
        matcher = MessageMatcher(message ?? nil, payloads: context.payloads)
        recipients = (connection ?? nil).map {
            Recipients(
                $0, claim: config.match?.claim, countMax: config.match?.maxRecipients ?? 1, payloads: context.payloads)
        }
        maximums = ConnectionLimits.Maximums(
            total: config.maxConnections, perKey: config.maxConnectionsPerKey, perUser: config.maxConnectionsPerUser,
            perAddress: config.maxConnectionsPerAddress, perSecond: config.maxNewConnectionsPerSecond)
        renderer = EventRenderer(
            eventName: eventName ?? nil, data: data ?? nil, payloads: context.payloads,
            eventLimit: config.bufferBytes / (config.slowClient == .disconnect ? 2 : 4))
        settings = StreamSettings(
            retryMilliseconds: config.retryMilliseconds, heartbeat: .seconds(config.heartbeatSeconds),
            bufferBytes: config.bufferBytes, isBroadcast: config.match == nil, dropsOldest: config.slowClient == .dropOldest,
            idleTimeout: config.idleTimeoutSeconds.map { .seconds($0) })
    }

    public var replayRefusal: String? {
        if settings.dropsOldest { return "`slow_client` is \"drop_oldest\", which is for streams that cannot resume" }
        return matcher.canReplay
            ? nil : "streams that resume find what they missed by key: `match.message` must be \"${@key}\", or there must be no `match`"
    }

    public func open(replay: (any MessageReplay)?) async throws {
        if replay != nil, let replayRefusal { throw ModuleError.blocked("sse.match_without_key", replayRefusal) }
        let limits = ConnectionLimits(maximums, countsKeys: recipients != nil)
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

    package func deliverNow(_ messages: [Message]) -> Bool {
        hub.withLock { $0 }?.deliverNow(messages) ?? false
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

    public func connections(limit: Int) -> ChannelConnections? {
        hub.withLock { $0 }?.limits.connections(limit: limit)
            ?? ChannelConnections(total: 0, recipientCount: 0, userCount: 0, recipients: [], users: [])
    }

    // MARK: Connections

    /// Reports a `match` by which any caller could read what is meant for another, or that asks for a caller where there
    /// is none.
    private static func isGuarded(_ match: MatchConfig, _ connection: Template?, _ context: ModuleContext) -> Bool {
        let usesClaim = connection?.expressions.contains { expression in
            if case .variable(.claim) = expression { true } else { false }
        }
        if match.claim != nil, !context.access.isAuthenticated {
            context.problem(at: match.connection.place, "`match.claim` needs `auth`, which says who the caller is")
            return false
        }
        if context.access.isAuthenticated, !context.access.hasRequirements, match.claim == nil, usesClaim != true {
            context.problem(
                at: match.connection.place,
                "every caller could read the stream of every other: compare it with a claim (\"claim\": \"sub\" beside it), take it "
                    + "from one (\"${@claim.sub}\"), or say what callers need in the channel's `require`")
            return false
        }
        return true
    }

    public var routes: [Route] {
        [
            Route("GET", path, takesTickets: true) { [self] exchange in connect(exchange) },
            Route("HEAD", path) { exchange in
                exchange.respond(HTTPResponse(status: 200, headers: StreamRequest.headers))
            },
        ]
    }

    private func connect(_ exchange: any HTTPExchange) {
        do throws(StreamRefusal) {
            guard let hub = hub.withLock({ $0 }) else { throw .closed }
            let keys = try recipients?.keys(of: exchange) ?? [.empty]
            let peer = StreamPeer(keys: keys, exchange, countsAddresses: maximums.perAddress != nil)
            try hub.connect(try StreamRequest(exchange, peer), exchange)
        } catch {
            // Whoever resumes is told to come back: any other answer would be the last that an `EventSource` asks for.
            if error.passes, exchange.header("last-event-id")?.isEmpty == false {
                StreamRequest.putOff(exchange, settings, milliseconds: settings.retryMilliseconds + Int.random(in: 1_000...5_000))
            } else {
                exchange.respond(error.response)
            }
        }
    }
}
