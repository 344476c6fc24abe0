package import Martlet
import Synchronization

/// Runs one source.
package final class SourceRunner: Sendable {
    package let name: String
    package let source: any EventSource
    package let readiness = Readiness()
    /// The database that the source saves to, if it does.
    package let savesTo: DatabaseRunner?

    private let pipeline: SourcePipeline
    private let transforms: TransformChain
    private let logger: Logger
    private let opening = Mutex<Task<Void, Never>?>(nil)

    init(
        name: String, source: any EventSource, pipeline: SourcePipeline, transforms: TransformChain,
        savesTo: DatabaseRunner?, logger: Logger
    ) {
        self.name = name
        self.source = source
        self.pipeline = pipeline
        self.transforms = transforms
        self.savesTo = savesTo
        self.logger = logger.with("source", name)
    }

    /// Starts to open; returns at once. A source is open even while its database is not: it answers that it is away.
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
            for transform in transforms.transforms {
                try await opener.open("transform \(type(of: transform).name)") { try await transform.open() }
            }
            try await opener.open("source \(name)") { try await source.open(intake: pipeline) }
            readiness.opened()
        } catch {
            logger.debug("source closes before it was open")
        }
    }

    package func stop() async {
        let task = opening.withLock { $0 }
        task?.cancel()
        await task?.value
        await source.close()
        for transform in transforms.transforms { await transform.close() }
        readiness.closed()
    }
}
