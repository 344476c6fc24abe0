import Martlet

/// Opens a group's transforms on a host that replays the group but does not run it, because the log is elsewhere.
final class ReplayTransforms: Sendable {
    private let chain: TransformChain
    private let opening: PartOpening

    init(_ chain: TransformChain, logger: Logger) {
        self.chain = chain
        opening = PartOpening(logger: logger)
    }

    /// Starts to open, once, and returns when all are open; throws if the host stops before.
    func open() async throws {
        opening.start { [chain] opener in
            for transform in chain.transforms {
                try await opener.open("transform \(type(of: transform).name)") { try await transform.open() }
            }
        }
        try await opening.readiness.wait()
    }

    func close() async {
        await opening.cancel()
        for transform in chain.transforms { await transform.close() }
        opening.readiness.closed()
    }
}
