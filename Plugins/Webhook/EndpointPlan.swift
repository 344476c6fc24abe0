import Martlet

/// An endpoint of the config, validated.
struct EndpointPlan: Sendable {
    let name: String
    let filter: EventFilter
    let keys: KeyRing
    /// Nil if it is a template.
    let url: String?
    let urlTemplate: TemplateSet?
    let maxInFlight: Int?
    let maxPerSecond: Int?
    /// Its own templates; nil if it has the channel's.
    let renderer: MessageRenderer?

    /// Reports all problems; nil if there was any.
    init?(_ entry: ConfigMap<EndpointConfig>.Entry, channel: WebhookChannelConfig, context: ModuleContext) {
        let config = entry.value
        var isGood = true
        func report(_ place: ConfigPlace, _ message: String) {
            context.problem(at: place, message)
            isGood = false
        }
        if let problem = EndpointName.problem(of: entry.key) { report(entry.keyPlace, problem) }
        for pattern in config.eventTypes {
            if let problem = EventFilter.problem(of: pattern) { report(config.place, "`event_types`: \(problem), found `\(pattern)`") }
        }
        var keys: [KeyRing.Entry] = []
        for secret in config.secrets {
            do throws(SigningKeyProblem) {
                keys.append(KeyRing.Entry(key: try SigningKey(secret.plain), until: nil))
            } catch {
                report(secret.place, error.text)
            }
        }
        if config.secrets.isEmpty { report(config.place, "an endpoint needs at least one secret in `secrets`") }
        if config.secrets.count > KeyRing.limit { report(config.place, "an endpoint has at most \(KeyRing.limit) secrets") }
        let template = context.template(config.url, allowing: [.record, .header], encoding: .urlSegment)
        if template == nil { isGood = false }
        if let problem = EndpointURL.problem(ofTemplate: config.url.plain) { report(config.url.place, problem) }
        let hasOwn = config.message.eventType != nil || config.message.content != nil || config.message.body != nil
            || !config.message.headers.isEmpty || config.message.source != MessageConfig.standardSource
        let renderer = hasOwn ? MessageRenderer(config.message, else: channel.message, context: context) : nil
        if hasOwn, renderer == nil { isGood = false }
        guard isGood, let template else { return nil }
        name = entry.key
        filter = EventFilter(config.eventTypes)
        self.keys = KeyRing(keys)
        url = template.constant
        urlTemplate = template.constant == nil ? TemplateSet([template]) : nil
        maxInFlight = config.maxInFlight
        maxPerSecond = config.maxPerSecond
        self.renderer = renderer
    }
}
