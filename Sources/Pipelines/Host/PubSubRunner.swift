package import Martlet
import Synchronization

/// Keeps one bus open.
package final class PubSubRunner: Sendable {
    package let name: String
    package let pubSub: any PubSub
    package let readiness = Readiness()

    private let logger: Logger
    private let opening = Mutex<Task<Void, Never>?>(nil)

    package init(name: String, pubSub: any PubSub, logger: Logger) {
        self.name = name
        self.pubSub = pubSub
        self.logger = logger.with("pubsub", name)
    }

    /// Starts to open; returns at once.
    package func start() {
        opening.withLock { opening in
            if opening == nil { opening = Task { await open() } }
        }
    }

    private func open() async {
        let opener = ModuleOpener(logger: logger) { [readiness] error in
            if let error { readiness.failed(error) }
        }
        do {
            try await opener.open("pubsub \(name)") { try await pubSub.open() }
            readiness.opened()
        } catch {
            logger.debug("pubsub closes before it was open")
        }
    }

    package func stop() async {
        let task = opening.withLock { $0 }
        task?.cancel()
        await task?.value
        await pubSub.close()
        readiness.closed()
    }
}
