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
        var nextCleanUp = 0
        var failures = 0
        while !Task.isCancelled {
            do {
                let hasChanged = try await look()
                if hasChanged || .now >= isLeaseDue || dispatcher.givenBack.hasEndpoints {
                    try await tend()
                    isLeaseDue = .now + Self.leaseEvery
                }
                if round >= nextCleanUp { nextCleanUp = round + (try await cleanUp() ? Self.cleanUpEvery : 1) }
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

    /// - Returns: whether all was removed that is past its time.
    private func cleanUp() async throws -> Bool {
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
        var pages = Self.pageLimit
        while pages > 0, try await remove(finishedBefore: now - keepMilliseconds) == UpkeepStore.pageRows { pages -= 1 }
        var excess = try await store.countOfFinished() - keepCount
        while pages > 0, excess > 0 {
            let count = try await remove(finishedBefore: now, atMost: excess)
            if count == 0 { break }
            excess -= count
            pages -= 1
        }
        return pages > 0
    }

    private func remove(finishedBefore time: Int64, atMost limit: Int = UpkeepStore.pageRows) async throws -> Int {
        let count = try await store.remove(finishedBefore: time, atMost: limit)
        metrics.removed.add(count)
        return count
    }

    private func checkBacklogs() async throws {
        for name in dispatcher.givenBack.owned {
            let count = try await store.backlog(of: name, upTo: maxBacklog + 1)
            guard count > maxBacklog else { continue }
            disable(name, "more than \(maxBacklog) deliveries wait for it (`max_backlog_events`)")
        }
    }
}
