import Martlet

/// Emptying the outbox before a database is exchanged.
extension Host {
    /// Sources answer 503 from now on, also after a reload; what waits in the outboxes is published. Returns at once.
    package func drain() {
        guard !services.intake.isClosed else { return }
        services.intake.close()
        logger.info("draining: sources take nothing new until `martlet drain --resume` or a restart")
    }

    /// Sources take inputs again.
    package func resumeIntake() {
        guard services.intake.isClosed else { return }
        services.intake.open()
        logger.info("sources take inputs again")
    }

    /// What waits now, as the databases have it.
    package func drainStatus() async -> DrainStatus {
        let graph = graph
        let saving = Set(graph.sources.compactMap { $0.part.savesTo.map(ObjectIdentifier.init) })
        let isDraining = services.intake.isClosed
        // Counted before the rows: what is answered meanwhile is in the outbox by then.
        let underWay = services.intake.underWay
        var outboxes: [DrainStatus.Outbox] = []
        for node in graph.databases where saving.contains(ObjectIdentifier(node.part)) {
            do {
                let (own, others) = try await node.part.outbox.count()
                outboxes.append(DrainStatus.Outbox(database: node.name, own: own, others: others, error: nil))
            } catch {
                let failure = error as? ModuleError ?? .transient("outbox.not_counted", "\(error)")
                outboxes.append(DrainStatus.Outbox(database: node.name, own: nil, others: nil, error: failure))
            }
        }
        return DrainStatus(isDraining: isDraining, underWay: underWay, outboxes: outboxes)
    }
}
