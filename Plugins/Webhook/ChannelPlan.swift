import Martlet

/// A channel's config, validated, with its statements prepared.
struct ChannelPlan: Sendable {
    let name: String
    let config: WebhookChannelConfig
    let database: any Database
    let endpoints: [String: EndpointPlan]
    /// The channel's own templates, which endpoints share unless they have others.
    let renderer: MessageRenderer
    let events: (any TopicPublisher)?
    let http: any OutgoingHTTP
    let certificateFile: String?
    let hostID: @Sendable () -> String
    let payloads: any PayloadReader
    let metrics: WebhookMetrics
    let logger: Logger

    let store: EndpointStore
    let reader: DeliveryReader
    let deliveries: DeliveryWriter
    let results: ResultWriter
    let upkeep: UpkeepStore
    let history: HistoryStore

    /// Reports all problems; nil if there was any.
    init?(_ config: WebhookChannelConfig, _ context: ModuleContext) {
        let renderer = MessageRenderer(config.message, context: context)
        let plans = config.endpoints.map { EndpointPlan($0, channel: config, context: context) }
        let good = plans.compactMap { $0 }
        var isGood = renderer != nil && good.count == plans.count
        if plans.count > config.maxEndpoints {
            context.problem(at: config.endpoints.place, "has \(plans.count) endpoints, more than `max_endpoints` (\(config.maxEndpoints))")
            isGood = false
        }
        let vault = SecretVault(config, context)
        if vault == nil { isGood = false }
        var events: (any TopicPublisher)?
        if let topic = config.eventsTopic {
            events = context.topic(topic)
            if events == nil { isGood = false }
        }
        guard let database = context.database(config.database), isGood, let renderer, let vault else { return nil }
        do {
            store = try EndpointStore(database, channel: context.name, maxEndpoints: config.maxEndpoints, vault)
            reader = try DeliveryReader(database, channel: context.name)
            deliveries = try DeliveryWriter(database, channel: context.name)
            results = try ResultWriter(database, channel: context.name)
            upkeep = try UpkeepStore(database, channel: context.name)
            history = try HistoryStore(database, channel: context.name)
        } catch {
            context.problem(at: config.database.place, "the database cannot hold deliveries: \(error.message)")
            return nil
        }
        name = context.name
        self.config = config
        self.database = database
        endpoints = Dictionary(uniqueKeysWithValues: good.map { ($0.name, $0) })
        self.renderer = renderer
        self.events = events
        http = context.http
        certificateFile = config.certificateFile.map { context.path($0.plain) }
        hostID = context.hostID
        payloads = context.payloads
        metrics = WebhookMetrics(context.metrics, channel: context.name)
        logger = context.logger
    }

    /// How a row of the database is delivered to.
    func settings(of row: EndpointRow) -> EndpointSettings {
        let own = row.origin == .config ? endpoints[row.name] : nil
        let limits = EndpointPace.Limits(
            maxInFlight: own?.maxInFlight ?? row.maxInFlight ?? config.maxInFlight,
            maxPerSecond: own?.maxPerSecond ?? row.maxPerSecond ?? config.maxPerSecond,
            breakerFailures: config.breaker.failures, firstPause: Int64(config.breaker.pauseSeconds) * 1000,
            longestPause: Int64(config.breaker.maxPauseSeconds) * 1000)
        // What another host's config has is delivered to by that host.
        let isForeign = row.origin == .config && own == nil
        return EndpointSettings(
            name: row.name, url: row.origin == .config ? own?.url : row.url, keys: own?.keys ?? row.keys ?? KeyRing([]), pace: limits,
            state: isForeign ? .paused : row.state, failingSince: row.failingSince)
    }

    /// Who gets the records that are taken over now.
    func audience(_ snapshot: EndpointStore.Snapshot) -> Audience {
        var renderers = [renderer]
        var recipients: [Audience.Recipient] = []
        for row in snapshot.rows where row.state != .disabled {
            let own = row.origin == .config ? endpoints[row.name] : nil
            if row.origin == .config, own == nil { continue }
            var index = 0
            if let renderer = own?.renderer {
                index = renderers.count
                renderers.append(renderer)
            }
            recipients.append(
                Audience.Recipient(name: row.name, filter: own?.filter ?? row.filter, renderer: index, url: own?.urlTemplate))
        }
        return Audience(version: snapshot.version, recipients: recipients, renderers: renderers)
    }
}
