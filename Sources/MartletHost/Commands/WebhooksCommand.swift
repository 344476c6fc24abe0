import Martlet

/// `martlet webhooks`: endpoints of webhook channels, what was sent to them, and replays.
struct WebhooksCommand: Command {
    static let name = "webhooks"
    static let summary = "Manage webhook endpoints; list deliveries and attempts; replay."
    static let usage = "[endpoints [ACTION [NAME|URL]] | deliveries | attempts | replay [ID]] [OPTIONS]"
    static let options: [CommandOption] = [
        .option("channel", "NAME", "The webhook channel; needed if the host has several."),
        .option("name", "NAME", "For create: the endpoint's name; left out, one is made."),
        .option("url", "URL", "For change: the new URL."),
        .option("event-types", "TYPE,…", "For create and change: what is sent, such as like,order.*; by default all."),
        .option("description", "TEXT", "For create and change."),
        .option("max-in-flight", "N", "For create and change: requests at the same time."),
        .option("max-per-second", "N", "For create and change: requests a second."),
        .option("secret", "SECRET", "For create and rotate-secret: whsec_… or whsk_…; left out, one is made."),
        .option("algorithm", "v1|v1a", "For create and rotate-secret: HMAC-SHA256 (the default) or ed25519."),
        .option("keep-hours", "N", "For rotate-secret: how long the secrets before it sign on; 24 by default."),
        .option("endpoint", "NAME", "For deliveries, attempts and replay: only this endpoint's."),
        .option("delivery", "ID", "For attempts: only this delivery's."),
        .option("state", "STATE", "For deliveries and replay: waiting, retrying, delivered, failed, replayed, dropped; replay takes failed or any."),
        .option("since", "TIME", "For deliveries, attempts and replay: from then on (\(TimeText.expected), or 2h for so long ago)."),
        .option("until", "TIME", "For deliveries and replay: up to then."),
        .option("limit", "N", "For deliveries and attempts: so many at most; 50 by default."),
        .json, .admin, .config,
    ]
    static let details = """
        endpoints                     list them; or one of
          show NAME, create URL, change NAME, pause NAME, resume NAME, delete NAME, rotate-secret NAME
        deliveries                    what was queued, the newest first, with the ids that replay takes
        attempts                      each request with its status, latency and the first bytes of the answer
        replay ID                     queue one delivery again
        replay --since TIME           queue again all that have failed since then (--state any: all that are finished)

        A secret is shown once, when it is made. `resume` also enables an endpoint that the host has disabled. A replay
        keeps the webhook-id, by which receivers tell repeats, and comes behind what waits.

        examples:
          martlet webhooks endpoints
          martlet webhooks endpoints create https://example.com/hooks --name shop --event-types order.*
          martlet webhooks endpoints rotate-secret shop --keep-hours 48
          martlet webhooks attempts --endpoint shop --since 1h
          martlet webhooks replay 4711
          martlet webhooks replay --endpoint shop --since 2026-01-31T12:00:00Z
        """

    private let action: WebhookAction
    private let arguments: Arguments

    init(_ arguments: Arguments) throws {
        action = try WebhookAction(arguments, now: Timestamp.now())
        self.arguments = arguments
    }

    func run() async throws -> ExitCode {
        let client = try AdminClient(arguments)
        let channel = try arguments.value("channel") ?? Self.onlyChannel(client)
        let path = ["v1", "channels", channel]
        let answer: JSONNode
        switch action {
        case .get(let rest, let query): answer = try client.get(path + rest, query: query).json()
        case .post(let rest, let body): answer = try client.post(path + rest, body).json()
        case .patch(let rest, let body): answer = try client.patch(path + rest, body).json()
        case .delete(let name):
            _ = try client.delete(path + ["endpoints", name])
            answer = ["endpoint": .string(name), "state": "removed"]
        case .replay(let body): answer = try replay(body, path, client)
        }
        arguments.show(answer, as: WebhookText.text)
        return .done
    }

    private static func onlyChannel(_ client: AdminClient) throws -> String {
        let channels = try client.get(["v1", "channels"]).json()["channels"]?.items.filter { $0["type"]?.rawText == "webhook" } ?? []
        let names = channels.compactMap { $0["channel"]?.rawText }
        guard let name = names.first else { throw ClientError("the host has no webhook channel", status: 404) }
        guard names.count == 1 else {
            throw UsageError("the host has several webhook channels: choose one with --channel (\(names.joined(separator: ", ")))")
        }
        return name
    }

    /// Step by step, so that no request takes long.
    private func replay(_ body: [(String, JSONNode)], _ path: [String], _ client: AdminClient) throws -> JSONNode {
        var body = body
        var count: Int64 = 0
        while true {
            let answer = try client.post(path + ["replay"], .object(body)).json()
            count += answer["replayed"]?.wholeNumber ?? 0
            guard let next = answer["next"]?.wholeNumber else { break }
            Terminal.note("\(count) replayed")
            body.removeAll { $0.0 == "after" }
            body.append(("after", .integer(next)))
        }
        return ["channel": .string(path.last ?? ""), "replayed": .integer(count)]
    }
}
