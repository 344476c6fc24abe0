import Martlet

/// An endpoint as the database has it.
struct EndpointRow: Sendable {
    /// Where an endpoint was made.
    enum Origin: String, Sendable {
        case config, api
    }

    /// Whether it is delivered to.
    enum State: String, Sendable {
        case active
        /// By an operator: deliveries wait.
        case paused
        /// By the channel, because it fails or said that it is gone: no new deliveries are queued.
        case disabled
        /// Its waiting deliveries are being dropped; then the row goes too.
        case removed
    }

    let name: String
    let origin: Origin
    /// Nil for an endpoint of the config, which has its own.
    var url: String?
    var keys: KeyRing?
    var filter: EventFilter
    var description: String?
    var maxInFlight: Int?
    var maxPerSecond: Int?
    var state: State
    /// Why it is paused or disabled.
    var reason: String?
    /// Milliseconds since the epoch.
    var changedAt: Int64
    /// When the failures began that have gone on since; nil while it works.
    var failingSince: Int64?
    /// The host that delivers to it.
    var owner: String?
    var leaseUntil: Int64
    let createdAt: Int64

    static let columns = """
        endpoint, origin, url, secrets, event_types, description, max_in_flight, max_per_second, state, reason, changed_at,
        failing_since, owner, lease_until, created_at
        """

    /// A new endpoint.
    init(name: String, origin: Origin, now: Int64) {
        self.name = name
        self.origin = origin
        filter = EventFilter([])
        state = .active
        changedAt = now
        leaseUntil = 0
        createdAt = now
    }

    /// - Throws: blocked, `webhook.bad_row`, if the row does not have the types it was written with; what the vault throws.
    init(row: [DataValue], _ vault: SecretVault) throws(ModuleError) {
        guard row.count == 15, let name = row[0].string, let origin = row[1].string.flatMap(Origin.init(rawValue:)),
            let state = row[8].string.flatMap(State.init(rawValue:)), let changedAt = row[10].int64, let lease = row[13].int64,
            let createdAt = row[14].int64
        else {
            throw .blocked(
                "webhook.bad_row", "a row of martlet_webhook_endpoints does not have the types it was written with; was it edited?")
        }
        self.name = name
        self.origin = origin
        url = row[2].string
        if let secrets = row[3].string { keys = try KeyRing(json: secrets, of: name, vault) }
        filter = EventFilter(Self.patterns(row[4].string))
        description = row[5].string
        maxInFlight = row[6].int64.map(Int.init)
        maxPerSecond = row[7].int64.map(Int.init)
        self.state = state
        reason = row[9].string
        self.changedAt = changedAt
        failingSince = row[11].int64
        owner = row[12].string
        leaseUntil = lease
        self.createdAt = createdAt
    }

    private static func patterns(_ json: String?) -> [String] {
        guard let json, case .array(let items)? = JSONReader.read(json, problems: ConfigProblems(file: "event_types"))?.kind else {
            return []
        }
        return items.compactMap { if case .string(let text) = $0.kind { text } else { nil } }
    }

    /// The values of what can be changed, by column.
    func values(_ vault: SecretVault) throws(ModuleError) -> [(String, DataValue)] {
        let secrets = try keys?.json(of: name, vault)
        return [
            ("endpoint", .text(name)), ("origin", .text(origin.rawValue)), ("url", url.map { .text($0) } ?? .null),
            ("secrets", secrets.map { .text($0) } ?? .null),
            ("event_types", .text(JSONWriter.text(.array(filter.patterns.map { .string($0) })))),
            ("description", description.map { .text($0) } ?? .null),
            ("max_in_flight", maxInFlight.map { .integer(Int64($0)) } ?? .null),
            ("max_per_second", maxPerSecond.map { .integer(Int64($0)) } ?? .null), ("state", .text(state.rawValue)),
            ("reason", reason.map { .text($0) } ?? .null), ("changed_at", .integer(changedAt)),
            ("failing_since", failingSince.map { .integer($0) } ?? .null), ("created_at", .integer(createdAt)),
        ]
    }
}
