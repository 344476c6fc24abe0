import Martlet

/// `/endpoints`: secrets are in an answer only when they were just made.
struct EndpointResource: Sendable {
    private static let changeable = ["url", "event_types", "description", "max_in_flight", "max_per_second"]
    /// How long secrets before a new one sign on, in hours.
    private static let keepHours: Int64 = 24

    let plan: ChannelPlan
    let session: @Sendable () throws(ModuleError) -> WebhookSession

    func list() async throws -> HTTPResponse {
        let rows = try await plan.store.snapshot().rows
        return .json(["channel": .string(plan.name), "endpoints": .array(rows.map { .object(members($0)) })])
    }

    func show(_ name: String) async throws -> HTTPResponse {
        guard let row = try await plan.store.snapshot().rows.first(where: { $0.name == name }) else {
            throw AdminRefusal.unknownEndpoint(name, channel: plan.name)
        }
        var members = members(row)
        let waiting = try await plan.upkeep.backlog(of: name, upTo: plan.config.maxBacklogEvents + 1)
        members.append(("waiting", .integer(Int64(waiting))))
        return .json(.object(members))
    }

    func create(_ body: JSONObject) async throws -> HTTPResponse {
        let request = try EndpointRequest(body)
        guard let url = request.url else { throw AdminRefusal.badRequest("`url` is missing") }
        let now = Timestamp.now()
        let key = try request.key()
        var row = EndpointRow(name: request.name ?? "ep-\(EventID.generate().string)", origin: .api, now: now)
        row.url = url
        row.keys = KeyRing([KeyRing.Entry(key: key, until: nil)])
        row.filter = request.filter ?? EventFilter([])
        row.description = request.description
        row.maxInFlight = request.maxInFlight
        row.maxPerSecond = request.maxPerSecond
        guard try await plan.store.create(row) else {
            throw AdminRefusal(
                409, "Conflict", "the channel `\(plan.name)` has an endpoint `\(row.name)` already, or it is being removed")
        }
        try await session().endpointsChanged()
        plan.logger.info("endpoint made", ("endpoint", row.name))
        return .json(.object(members(row) + [("secret", .string(key.text))]), status: 201)
    }

    func change(_ name: String, _ body: JSONObject) async throws -> HTTPResponse {
        let request = try EndpointRequest(body, allowed: Self.changeable)
        return try await update(name) { row in
            if row.origin == .config { throw AdminRefusal.ofConfig(name) }
            row.url = request.url ?? row.url
            row.filter = request.filter ?? row.filter
            if body["description"] != nil { row.description = request.description }
            if body["max_in_flight"] != nil { row.maxInFlight = request.maxInFlight }
            if body["max_per_second"] != nil { row.maxPerSecond = request.maxPerSecond }
        }
    }

    func remove(_ name: String) async throws -> HTTPResponse {
        _ = try await update(name) { row in
            if row.origin == .config { throw AdminRefusal.ofConfig(name) }
            row.state = .removed
        }
        return HTTPResponse(status: 204)
    }

    func pause(_ name: String) async throws -> HTTPResponse {
        try await update(name) { row in
            if row.state == .disabled {
                throw AdminRefusal(409, "Conflict", "the endpoint `\(name)` is disabled: \(row.reason ?? "no reason is known")")
            }
            row.state = .paused
            row.reason = "paused by an operator"
        }
    }

    /// Also enables an endpoint that was disabled.
    func resume(_ name: String) async throws -> HTTPResponse {
        try await update(name) { row in
            row.state = .active
            row.reason = nil
            row.failingSince = nil
        }
    }

    /// A new secret, or the one of the request; those before it sign on for a while.
    func rotate(_ name: String, _ body: JSONObject) async throws -> HTTPResponse {
        let request = try EndpointRequest(JSONObject(members: body.members.filter { $0.key != "keep_hours" }), allowed: ["secret", "algorithm"])
        var hours = Self.keepHours
        if let node = body["keep_hours"] {
            guard case .number(let number) = node.kind, let value = number.int64, (0...8_760).contains(value) else {
                throw AdminRefusal.badRequest("`keep_hours` is a number from 0 to 8760")
            }
            hours = value
        }
        let key = try request.key()
        let now = Timestamp.now()
        let end = now + hours * 3_600_000
        let row = try await changed(name) { row in
            if row.origin == .config { throw AdminRefusal.ofConfig(name) }
            var keys = row.keys ?? KeyRing([])
            keys.rotate(to: key, keepingOthersUntil: end, now: now)
            row.keys = keys
        }
        plan.logger.info("endpoint has a new secret", ("endpoint", name))
        return .json(.object(members(row) + [("secret", .string(key.text))]))
    }

    private func update(_ name: String, _ change: @escaping @Sendable (inout EndpointRow) throws -> Void) async throws -> HTTPResponse {
        .json(.object(members(try await changed(name, change))))
    }

    private func changed(_ name: String, _ change: @escaping @Sendable (inout EndpointRow) throws -> Void) async throws -> EndpointRow {
        let refusal = RefusalBox()
        let row: EndpointRow?
        do {
            row = try await plan.store.change(name) { row in
                do {
                    try change(&row)
                } catch {
                    refusal.error = error
                    throw error
                }
                row.changedAt = Timestamp.now()
                return true
            }
        } catch {
            throw refusal.error ?? error
        }
        guard let row else { throw AdminRefusal.unknownEndpoint(name, channel: plan.name) }
        try await session().endpointsChanged()
        return row
    }

    // MARK: JSON

    private func members(_ row: EndpointRow) -> [(String, JSONNode)] {
        let own = plan.endpoints[row.name]
        let url = row.origin == .config ? own?.url ?? (own == nil ? nil : "(a template)") : row.url
        let keys = own?.keys ?? row.keys
        return [
            ("endpoint", .string(row.name)), ("origin", .string(row.origin.rawValue)), ("state", .string(row.state.rawValue)),
            ("reason", row.reason.map { .string($0) } ?? .null), ("url", url.map { .string(Self.withoutPassword($0)) } ?? .null),
            ("event_types", .array((own?.filter ?? row.filter).patterns.map { .string($0) })),
            ("description", row.description.map { .string($0) } ?? .null),
            ("max_in_flight", .integer(Int64(plan.settings(of: row).pace.maxInFlight))),
            ("max_per_second", plan.settings(of: row).pace.maxPerSecond.map { .integer(Int64($0)) } ?? .null),
            ("failing_since", row.failingSince.map { .integer($0) } ?? .null), ("changed_at", .integer(row.changedAt)),
            ("created_at", .integer(row.createdAt)), ("host", row.owner.map { .string($0) } ?? .null),
            ("secrets", .array((keys?.entries ?? []).map(Self.json))),
        ]
    }

    /// Never the secret itself; of an asymmetric one what receivers verify with.
    private static func json(_ entry: KeyRing.Entry) -> JSONNode {
        [
            "algorithm": .string(entry.key.algorithm.rawValue), "public_key": entry.key.publicKey.map { .string($0) } ?? .null,
            "until": entry.until.map { .integer($0) } ?? .null,
        ]
    }

    private static func withoutPassword(_ url: String) -> String {
        let scheme = url.prefix { $0 != "/" } + "//"
        let rest = url.dropFirst(scheme.count)
        let authority = rest.prefix { $0 != "/" && $0 != "?" && $0 != "#" }
        guard let at = authority.lastIndex(of: "@") else { return url }
        return scheme + "…@" + rest[rest.index(after: at)...]
    }
}

/// Carries a refusal out of a transaction, whose errors are the database's own.
private final class RefusalBox: @unchecked Sendable {
    // Unchecked: written by the body on the database's thread, read by the task after the completion.
    var error: (any Error)?
}
