import Martlet

/// An open channel: its client, its dispatcher and its upkeep.
final class WebhookSession: Sendable {
    let plan: ChannelPlan
    let intake: WebhookIntake
    let dispatcher: Dispatcher
    let progress: ChannelProgress
    private let client: any OutgoingHTTPClient
    private let leases: LeaseStore
    private let dispatching: Task<Void, Never>
    private let tending: Task<Void, Never>
    private let disabler: EndpointDisabler

    /// Makes the tables, brings the config's endpoints into the database, and starts to deliver.
    static func open(_ plan: ChannelPlan, _ offsets: OffsetWriter) async throws -> WebhookSession {
        try await WebhookTables.create(in: plan.database)
        try await plan.store.synchronize(with: plan.endpoints.mapValues(\.filter), now: Timestamp.now())
        let progress = ChannelProgress()
        if let found = try await plan.store.progress() { progress.seen(before: found.nextID) }
        var settings = OutgoingHTTPSettings()
        settings.connectTimeout = .milliseconds(plan.config.connectTimeoutMilliseconds)
        settings.maxConnections = plan.config.maxRequests
        settings.maxRequests = plan.config.maxRequests
        settings.addresses = .publicOnly(besides: plan.config.allowAddresses)
        settings.certificateFile = plan.certificateFile
        return WebhookSession(plan, offsets, progress, try plan.http.client(settings), try plan.leases())
    }

    private init(
        _ plan: ChannelPlan, _ offsets: OffsetWriter, _ progress: ChannelProgress, _ client: any OutgoingHTTPClient, _ leases: LeaseStore
    ) {
        let dispatcher = Dispatcher()
        let intake = WebhookIntake(
            writer: offsets, deliveries: plan.deliveries, payloads: plan.payloads, metrics: plan.metrics,
            load: { plan.audience(try await plan.store.snapshot()) },
            arrived: { taken, names in
                progress.took(from: taken.firstID, count: taken.count)
                dispatcher.inbox.post(.arrived(names))
            })
        let disabler = EndpointDisabler(plan: plan) { progress.lookNow() }
        self.plan = plan
        self.progress = progress
        self.client = client
        self.leases = leases
        self.dispatcher = dispatcher
        self.intake = intake
        self.disabler = disabler
        let services = plan.services(client, disabler)
        dispatching = Task { await dispatcher.run(services) }
        let upkeep = Upkeep(
            endpoints: plan.store, leases: leases, store: plan.upkeep, reader: plan.reader, dispatcher: dispatcher, intake: intake,
            progress: progress, keepMilliseconds: Int64(plan.config.keepHours) * 3_600_000, keepCount: plan.config.keepEvents,
            maxBacklog: plan.config.maxBacklogEvents, maxEndpoints: plan.config.maxEndpoints, metrics: plan.metrics,
            settings: { plan.settings(of: $0) }, disable: { disabler.disable($0, because: $1) }, logger: plan.logger)
        tending = Task { await upkeep.run() }
    }

    /// Endpoints have changed. Returns once this host's dispatcher has been told (other hosts look within a second), or after a
    /// while: what is queued from then on is sent, or not, as the endpoints are now.
    func endpointsChanged() async throws {
        intake.forget()
        progress.lookNow()
        guard let changed = try await plan.store.progress()?.version else { return }
        let deadline = ContinuousClock.now + .seconds(2)
        while progress.version < changed, .now < deadline { try await Task.sleep(for: .milliseconds(2)) }
    }

    /// Ends requests under way, writes down what is known, and lets other hosts have the endpoints.
    func close() async {
        dispatcher.inbox.post(.stopSending)
        tending.cancel()
        await tending.value
        await client.close()
        dispatcher.inbox.post(.end)
        await dispatching.value
        await disabler.close()
        do {
            try await leases.leave()
        } catch {
            plan.logger.debug("the endpoints' leases are not given back and run out: \(error)")
        }
    }
}

extension ChannelPlan {
    /// A lease lasts longer than any request, so that no other host sends while one of this host is under way.
    fileprivate func leases() throws -> LeaseStore {
        try LeaseStore(
            database, channel: name, host: hostID(), duration: max(30_000, Int64(config.timeoutMilliseconds) * 2 + 15_000))
    }

    fileprivate func services(_ client: any OutgoingHTTPClient, _ disabler: EndpointDisabler) -> Dispatcher.Services {
        Dispatcher.Services(
            database: database, reader: reader, results: results, client: client,
            request: RequestBuilder(timeout: .milliseconds(config.timeoutMilliseconds), answerBytes: config.maxAnswerBytes),
            metrics: metrics, logger: logger, maxRequests: config.maxRequests, queuedBytes: config.maxQueuedBytes,
            bounds: EndpointQueue.Bounds(
                heldKeys: config.maxHeldKeys, disableAfter: Int64(config.disableAfterHours) * 3_600_000,
                leaseMargin: Int64(config.timeoutMilliseconds), schedule: RetrySchedule(config.retry)),
            disable: { disabler.disable($0, because: $1) }, noteFailing: { disabler.note($0, failingSince: $1) })
    }
}
