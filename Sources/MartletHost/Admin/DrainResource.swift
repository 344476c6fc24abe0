import Martlet
import Pipelines

/// `/v1/drain`: stops the sources until the outbox is empty, before a database is exchanged.
struct DrainResource: Sendable {
    let host: Host

    func show() async -> HTTPResponse {
        let status = await host.drainStatus()
        return .json([
            "draining": .bool(status.isDraining), "drained": .bool(status.isDrained), "under_way": .integer(Int64(status.underWay)),
            "outboxes": .array(status.outboxes.map(Self.json)),
        ])
    }

    func start() async -> HTTPResponse {
        host.drain()
        return await show()
    }

    func resume() async -> HTTPResponse {
        host.resumeIntake()
        return await show()
    }

    private static func json(_ outbox: DrainStatus.Outbox) -> JSONNode {
        [
            "database": .string(outbox.database), "waiting": outbox.own.map { .integer(Int64($0)) } ?? .null,
            "waiting_of_other_hosts": outbox.others.map { .integer(Int64($0)) } ?? .null,
            "error": outbox.error.map { .string($0.message) } ?? .null,
        ]
    }
}
