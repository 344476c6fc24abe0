import Martlet

/// `/deliveries`, `/attempts` and `/replay`.
struct HistoryResource: Sendable {
    private static let limit = 1_000
    private static let replayKeys = ["delivery", "endpoint", "state", "since", "until", "after"]

    let plan: ChannelPlan
    let session: @Sendable () throws(ModuleError) -> WebhookSession

    func deliveries(_ exchange: any HTTPExchange) async throws -> HTTPResponse {
        var selection = HistoryStore.Selection()
        selection.endpoint = exchange.queryParameter("endpoint")
        selection.state = try exchange.queryParameter("state").map { text throws(AdminRefusal) in try Self.state(text) }
        selection.since = try Self.number(exchange, "since") ?? 0
        selection.until = try Self.number(exchange, "until") ?? .max
        let found = try await plan.history.deliveries(
            selection, before: try Self.number(exchange, "before") ?? .max, limit: try limit(exchange))
        return .json(["channel": .string(plan.name), "deliveries": .array(found)])
    }

    func attempts(_ exchange: any HTTPExchange) async throws -> HTTPResponse {
        let found = try await plan.history.attempts(
            endpoint: exchange.queryParameter("endpoint"), delivery: try Self.number(exchange, "delivery"),
            since: try Self.number(exchange, "since") ?? 0, limit: try limit(exchange))
        return .json(["channel": .string(plan.name), "attempts": .array(found)])
    }

    /// One step of a replay: `next` in the answer goes into the next request as `after`.
    func replay(_ body: JSONObject) async throws -> HTTPResponse {
        if let key = body.keys.first(where: { !Self.replayKeys.contains($0) }) {
            throw AdminRefusal.badRequest("unknown key `\(key)` (keys: \(Self.replayKeys.joined(separator: ", ")))")
        }
        let replayed: HistoryStore.Replayed
        if let delivery = try Self.number(body, "delivery") {
            guard body.keys.count == 1 else { throw AdminRefusal.badRequest("`delivery` stands alone") }
            guard let one = try await plan.history.replay(delivery: delivery) else {
                throw AdminRefusal(
                    404, "Not Found",
                    "the channel `\(plan.name)` has no finished delivery \(delivery): it waits, was replayed before, is not kept any more, "
                        + "or its endpoint is gone")
            }
            replayed = one
        } else {
            replayed = try await replayMany(body)
        }
        if replayed.count > 0 { try session().dispatcher.inbox.post(.arrived(replayed.endpoints)) }
        return .json([
            "channel": .string(plan.name), "replayed": .integer(Int64(replayed.count)),
            "next": replayed.next.map { .integer($0) } ?? .null,
        ])
    }

    private func replayMany(_ body: JSONObject) async throws -> HistoryStore.Replayed {
        var selection = HistoryStore.Selection()
        guard let since = try Self.number(body, "since") else {
            throw AdminRefusal.badRequest("a replay names a `delivery`, or a `since` in milliseconds since the epoch")
        }
        selection.since = since
        selection.until = try Self.number(body, "until") ?? Timestamp.now()
        selection.after = try Self.number(body, "after") ?? 0
        selection.state = .failed
        switch body["state"]?.kind {
        case nil: break
        case .string("any")?: selection.state = nil
        case .string(let text)?: selection.state = try Self.state(text)
        default: throw AdminRefusal.badRequest("`state` is a string")
        }
        switch body["endpoint"]?.kind {
        case nil: break
        case .string(let text)?: selection.endpoint = text
        default: throw AdminRefusal.badRequest("`endpoint` is a string")
        }
        // Copies get ids from here on; they were not meant.
        let end = try await plan.store.progress()?.nextID ?? 0
        return try await plan.history.replay(selection, before: end)
    }

    private func limit(_ exchange: any HTTPExchange) throws(AdminRefusal) -> Int {
        guard let number = try Self.number(exchange, "limit") else { return 50 }
        guard (1...Int64(Self.limit)).contains(number) else { throw .badRequest("`limit` is a number from 1 to \(Self.limit)") }
        return Int(number)
    }

    private static func state(_ text: String) throws(AdminRefusal) -> DeliveryState {
        if let state = DeliveryState.allCases.first(where: { $0.name == text }) { return state }
        throw .badRequest("`state` is one of \(DeliveryState.allCases.map(\.name).joined(separator: ", ")), found `\(text)`")
    }

    private static func number(_ exchange: any HTTPExchange, _ name: String) throws(AdminRefusal) -> Int64? {
        guard let text = exchange.queryParameter(name) else { return nil }
        guard let number = Int64(text), number >= 0 else { throw .badRequest("`\(name)` is a number, found `\(text)`") }
        return number
    }

    private static func number(_ body: JSONObject, _ name: String) throws(AdminRefusal) -> Int64? {
        switch body[name]?.kind {
        case nil: return nil
        case .number(let number)?:
            if let value = number.int64, value >= 0 { return value }
        default: break
        }
        throw .badRequest("`\(name)` is a whole number")
    }
}
