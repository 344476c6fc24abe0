import HTTPServer
import Martlet
import Synchronization

extension Host {
    /// Finishes what is under way within the grace period, commits and closes everything.
    package func stop() async {
        let (graph, servers) = state.withLock { state in
            state.phase = .stopping
            return (state.graph, [state.publicServer, state.adminServer].compactMap { $0 })
        }
        let grace = Duration.seconds(graph.config.host.shutdownGraceSeconds)
        logger.info("stopping", ("grace_seconds", String(graph.config.host.shutdownGraceSeconds)))
        // A channel that a group feeds is taken nothing more to before it closes.
        await stop(graph.groups.map(\.part).filter(\.target.isChannel))
        for channel in graph.channels { await channel.part.stop(within: grace / 2) }
        await withTaskGroup(of: Void.self) { tasks in
            for server in servers { tasks.addTask { await server.stop(grace: grace / 2) } }
        }
        for source in graph.sources { await source.part.stop() }
        for node in graph.authenticators { await node.part.stop() }
        await stop(graph.groups.map(\.part).filter { !$0.target.isChannel })
        for pubSub in graph.pubSubs { await pubSub.part.stop() }
        await withDiscardingTaskGroup { tasks in
            // An append that an outbox waits for ends when a log that is elsewhere closes, instead of being tried on.
            if sharedLog != nil { tasks.addTask { [hostLog] in await hostLog.close() } }
            for database in graph.databases { await database.part.stop() }
        }
        if sharedLog == nil { await hostLog.close() }
        loops.stop()
        logger.info("stopped")
    }

    /// All at once: each may have to wait for its sink, or for a log that is elsewhere.
    func stop(_ groups: [GroupRunner]) async {
        await withDiscardingTaskGroup { tasks in
            for group in groups {
                tasks.addTask { [services] in
                    if services.runsGroups { await group.stop() } else { await group.replayTransforms.close() }
                }
            }
        }
    }
}
