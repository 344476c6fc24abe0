package import Martlet

/// Runs one source.
package final class SourceRunner: Sendable {
    package let name: String
    package let source: any EventSource
    package var readiness: Readiness { opening.readiness }
    /// The database that the source saves to, if it does.
    package let savesTo: DatabaseRunner?

    private let pipeline: SourcePipeline
    private let transforms: TransformChain
    private let opening: PartOpening

    init(
        name: String, source: any EventSource, pipeline: SourcePipeline, transforms: TransformChain,
        savesTo: DatabaseRunner?, logger: Logger
    ) {
        self.name = name
        self.source = source
        self.pipeline = pipeline
        self.transforms = transforms
        self.savesTo = savesTo
        opening = PartOpening(logger: logger.with("source", name))
    }

    /// Starts to open; returns at once. A source is open even while its database is not: it answers that it is away.
    package func start() {
        opening.start { [name, source, pipeline, transforms] opener in
            for transform in transforms.transforms {
                try await opener.open("transform \(type(of: transform).name)") { try await transform.open() }
            }
            try await opener.open("source \(name)") { try await source.open(intake: pipeline) }
        }
    }

    package func stop() async {
        await opening.cancel()
        await source.close()
        for transform in transforms.transforms { await transform.close() }
        readiness.closed()
    }
}
