import Martlet

/// What a channel does by the clock: looks for changes of other hosts, renews leases, removes what is past its time.
struct Upkeep: Sendable {
    /// How often other hosts' changes are looked for.
    private static let poll = Duration.seconds(1)
    /// How often leases are renewed, and what other hosts gave back is taken.
    private static let leaseEvery = Duration.seconds(5)
    /// Polls between two clean-ups.
    private static let cleanUpEvery = 5
    /// Polls between two looks at the backlogs.
    private static let backlogEvery = 30
    /// Pages of one clean-up, so that leases are not late.
    private static let pageLimit = 40

    let endpoints: EndpointStore
    let leases: LeaseStore
    let store: UpkeepStore
    let reader: DeliveryReader
    let dispatcher: Dispatcher
    let intake: WebhookIntake
    let progress: ChannelProgress
    let keepMilliseconds: Int64
    let keepCount: Int
    let maxBacklog: Int
    let maxEndpoints: Int
    let metrics: WebhookMetrics
    /// Makes the settings of rows.
    let settings: @Sendable (EndpointRow) -> EndpointSettings
    let disable: @Sendable (String, String) -> Void
    let logger: Logger

    /// Runs until the task is cancelled.
    func run() async {
        var round = 0
        var isLeaseDue = ContinuousClock.now
        var failures = 0
        while !Task.isCancelled {
            do {
                let hasChanged = try await look()
                if hasChanged || .now >= isLeaseDue || dispatcher.givenBack.hasEndpoints {
                    try await tend()
                    isLeaseDue = .now + Self.leaseEvery
                }
                if round % Self.cleanUpEvery == 0 { try await cleanUp() }
                if round % Self.backlogEvery == Self.backlogEvery - 1 { try await checkBacklogs() }
                failures = 0
            } catch is CancellationError {
                return
            } catch {
                failures += 1
                if failures & (failures - 1) == 0 { logger.warning("cannot look after the channel: \(error); trying again") }
            }
            round += 1
            await progress.sleep(for: Self.poll)
        }
    }

    /// Reads the endpoints if they have changed, and tells the dispatcher of deliveries that it was not told of.
    ///
    /// - Returns: whether endpoints have changed.
    private func look() async throws -> Bool {
        guard let found = try await endpoints.progress() else { return false }
        if let missed = progress.missed(before: found.nextID) {
            let names = try await reader.endpoints(after: missed, before: found.nextID, limit: maxEndpoints)
            dispatcher.inbox.post(.arrived(names))
            progress.seen(before: found.nextID)
        }
        guard progress.version != found.version else { return false }
        let snapshot = try await endpoints.snapshot()
        intake.forget()
        dispatcher.inbox.post(.endpoints(snapshot.rows.map(settings)))
        progress.version = snapshot.version
        progress.removed = snapshot.removed
        return true
    }

    private func tend() async throws {
        let share = try await leases.tend(givingBack: dispatcher.givenBack.take())
        dispatcher.inbox.post(.share(share))
    }

    private func cleanUp() async throws {
        let now = Timestamp.now()
        for name in progress.removed {
            var dropped = 0
            while true {
                let count = try await store.dropWaiting(for: name, now: now)
                dropped += count
                if count == 0 { break }
            }
            try await endpoints.finishRemoval(of: name)
            progress.removed.removeAll { $0 == name }
            logger.info("endpoint removed", ("endpoint", name), ("dropped", String(dropped)))
        }
        let oldest = now - keepMilliseconds
        let cutoff = max(oldest, try await store.cutoff(keeping: keepCount) ?? 0)
        for _ in 0..<Self.pageLimit {
            let count = try await store.remove(finishedBefore: cutoff)
            metrics.removed.add(count)
            if count < UpkeepStore.pageRows { break }
        }
    }

    private func checkBacklogs() async throws {
        for name in dispatcher.givenBack.owned {
            let count = try await store.backlog(of: name, upTo: maxBacklog + 1)
            guard count > maxBacklog else { continue }
            disable(name, "more than \(maxBacklog) deliveries wait for it (`max_backlog_events`)")
        }
    }
}
