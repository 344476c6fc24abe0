package import Martlet

/// Keeps one bus open.
package final class PubSubRunner: Sendable {
    package let name: String
    package let pubSub: any PubSub
    package var readiness: Readiness { opening.readiness }

    private let opening: PartOpening

    package init(name: String, pubSub: any PubSub, logger: Logger) {
        self.name = name
        self.pubSub = pubSub
        opening = PartOpening(logger: logger.with("pubsub", name))
    }

    /// Starts to open; returns at once.
    package func start() {
        opening.start("pubsub \(name)") { [pubSub] in try await pubSub.open() }
    }

    /// Why the bus carries nothing at the moment, although it was opened.
    package var trouble: ModuleError? { readiness.isReady ? pubSub.failure : nil }

    /// Whether it is open and carries messages.
    package var isUp: Bool { readiness.isReady && pubSub.failure == nil }

    package func stop() async {
        await opening.stop { await pubSub.close() }
    }
}
