public import Martlet
import Synchronization

/// Channel `webhook`: posts events to endpoints, signed, in order per key, with retries that survive restarts.
///
/// 1. decode: ``WebhookChannelConfig``.
/// 2. validate: the database exists, templates compile, secrets are keys, URLs have hosts that no record chooses.
/// 3. open: makes its tables, brings the config's endpoints into the database, starts to deliver what waits there.
/// 4. work: a group's batch becomes a row for each endpoint, in one transaction with the group's offset; a dispatcher
///    delivers the rows.
/// 5. close: requests under way are given up, and made again after the next start.
public final class WebhookChannel: DeliveryChannel, OffsetWritingTarget, AdminProviding {
    public static let name = "webhook"
    public static let summary = "Posts events to webhook endpoints: signed, in order per key, with retries that survive restarts."

    private let plan: ChannelPlan
    package let offsetWriter: OffsetWriter
    private let session = Mutex<WebhookSession?>(nil)

    public init?(config: WebhookChannelConfig, context: ModuleContext) {
        guard let plan = ChannelPlan(config, context) else { return nil }
        do {
            offsetWriter = try OffsetWriter(plan.database)
        } catch {
            context.problem(at: config.database.place, "the database cannot hold offsets: \(error.message)")
            return nil
        }
        self.plan = plan
    }

    public var subscriptionRefusal: String? {
        "a webhook channel is fed by a group, whose offset it keeps: name it in `deliver_to` of a group instead"
    }

    public var replayRefusal: String? {
        "a webhook channel replays from its own deliveries (`martlet webhooks replay`); leave `replay` out"
    }

    public func open(replay: (any MessageReplay)?) async throws {
        await close()
        try await offsetWriter.open()
        let opened = try await WebhookSession.open(plan, offsetWriter)
        session.withLock { $0 = opened }
    }

    public func deliver(_ messages: [Message]) async throws -> WriteResult {
        try await current().intake.take(messages.map(\.record), nil)
        return .handled
    }

    public func write(
        _ batch: [Record], moving partition: GroupPartition, from expected: Offset?, to next: Offset
    ) async throws {
        try await current().intake.take(batch, (partition, expected, next))
    }

    public func drain(within grace: Duration) async {
        await session.withLock { $0 }?.dispatcher.drain(until: .now + grace)
    }

    public func close() async {
        let closing = session.withLock { session in
            defer { session = nil }
            return session
        }
        await closing?.close()
    }

    public var adminRoutes: [Route] {
        WebhookAdmin(plan: plan) { [self] () throws(ModuleError) in try current() }.routes
    }

    private func current() throws(ModuleError) -> WebhookSession {
        guard let session = session.withLock({ $0 }) else {
            throw .transient("webhook.not_open", "the channel \(plan.name) is not open", retryAfter: .seconds(1))
        }
        return session
    }
}
