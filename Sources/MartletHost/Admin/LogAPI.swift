import Martlet
import Pipelines

/// The log of this host for hosts without one of their own: the other side of ``LogWire``.
///
/// Handlers answer from tasks of their own, since the log may read from disk. Memory is bounded by the listener's
/// connections, each with one answer of about ``LogWire/maxReadBytes``.
struct LogAPI: Sendable {
    let host: Host

    /// - Parameter protected: makes a route that asks for the admin token.
    func routes(
        _ protected: (_ method: String, _ path: String, _ handle: @escaping @Sendable (any HTTPExchange) -> Void) -> Route
    ) -> [Route] {
        let root = LogWire.root
        let partition = root + "/topics/{topic}/partitions/{partition}"
        let committed = root + "/groups/{group}/topics/{topic}/partitions/{partition}"
        func route(
            _ method: String, _ path: String, _ answer: @escaping @Sendable (LogRequest) async throws -> HTTPResponse
        ) -> Route {
            protected(method, path) { exchange in respond(exchange, answer) }
        }
        return [
            route("GET", root + "/topics") { try await $0.topics() },
            route("GET", root + "/topics/{topic}") { try await $0.topic() },
            route("POST", root + "/topics/{topic}/records") { try await $0.append() },
            route("GET", partition + "/records") { try await $0.read() },
            route("GET", partition + "/keyed") { try await $0.readKeys() },
            route("GET", partition + "/wait") { try await $0.wait() },
            route("GET", partition + "/offset") { try await $0.offsetAtTime() },
            route("GET", root + "/groups") { try await $0.groups() },
            route("GET", committed) { try await $0.committedOffset() },
            route("PUT", committed) { try await $0.commit() },
        ]
    }

    private func respond(
        _ exchange: any HTTPExchange, _ answer: @escaping @Sendable (LogRequest) async throws -> HTTPResponse
    ) {
        guard let log = host.embeddedLog else {
            return exchange.respond(LogRequest.problem(notHere))
        }
        Task {
            do {
                exchange.respond(try await answer(LogRequest(exchange: exchange, log: log, schemas: host.graph.schemas)))
            } catch let error as OffsetOutOfRange {
                exchange.respond(LogRequest.problem(error))
            } catch {
                exchange.respond(LogRequest.problem(error as? ModuleError ?? .transient("log.failed", "\(error)")))
            }
        }
    }

    private var notHere: ModuleError {
        let reason =
            if let log = host.sharedLog {
                "this host's log is of type `\(log.type)`, which each host uses by itself; give the other host the same block `log`"
            } else {
                "this host has no log of its own (it uses \(host.remoteLog?.url ?? "another host's")); `log.url` must name the host that has it"
            }
        return .blocked("log.not_here", reason)
    }
}
