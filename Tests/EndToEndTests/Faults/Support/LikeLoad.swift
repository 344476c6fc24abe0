import Foundation
import Synchronization
import TestSupport

/// Clients that like without a pause until they are told to stop. What is not acknowledged is posted again, to the next
/// host if the connection broke, until it is: then every like that was ever sent is there exactly once.
final class LikeLoad: Sendable {
    private struct State {
        var acknowledged: [Like] = []
        var answers: [Int: Int] = [:]
        /// Problem codes of the refusals.
        var codes: Set<String> = []
        /// Answers that break a promise.
        var wrong: [String] = []
        var running = 0
        var isStopping = false
    }

    /// How long a client waits before it posts again what was refused.
    private static let pause = 0.02
    /// How long it tries.
    private static let patience: Duration = .seconds(60)

    private let owners: [String]
    private let state = Mutex(State())

    init(owners: [String]) {
        self.owners = owners
    }

    /// Every like, once all clients have ended.
    var acknowledged: [Like] { state.withLock { $0.acknowledged } }
    var wrongAnswers: [String] { state.withLock { $0.wrong } }
    var refusals: Int { state.withLock { $0.answers[503] ?? 0 } }
    var refusalCodes: Set<String> { state.withLock { $0.codes } }
    var summary: String {
        state.withLock { state in
            let answers = state.answers.sorted { $0.key < $1.key }.map { "\($0.value) × \($0.key)" }.joined(separator: ", ")
            return "\(state.acknowledged.count) likes acknowledged, answers \(answers), codes \(state.codes.sorted())"
        }
    }

    /// Starts clients; each posts to all addresses in turn, beginning with another one.
    func start(_ clients: Int, to addresses: [String]) {
        state.withLock { $0.running += clients }
        for client in 0..<clients {
            Thread.detachNewThread { [self] in
                run(client, Array(addresses[(client % addresses.count)...] + addresses[..<(client % addresses.count)]))
                state.withLock { $0.running -= 1 }
            }
        }
    }

    /// Returns when the last like of each client is acknowledged.
    func stop() async throws {
        state.withLock { $0.isStopping = true }
        try await eventually("the end of all clients", within: .seconds(90)) { state.withLock { $0.running == 0 } }
    }

    func waitForMore(_ count: Int) async throws {
        let goal = acknowledged.count + count
        try await eventually("\(count) more likes acknowledged; \(summary)") { acknowledged.count >= goal }
    }

    private func run(_ client: Int, _ addresses: [String]) {
        var connection: HTTPConnection?
        var hosts = addresses
        var number = 0
        while !state.withLock({ $0.isStopping }) {
            number += 1
            let like = Like("c\(client)-\(number)", of: owners[number % owners.count])
            let deadline = ContinuousClock.now + Self.patience
            var isFirst = true
            while !post(like, isFirst, &connection, hosts[0]) {
                isFirst = false
                if connection == nil { hosts.append(hosts.removeFirst()) }
                guard ContinuousClock.now < deadline else {
                    return complain("\(like.name) was not acknowledged within \(Self.patience)")
                }
                Thread.sleep(forTimeInterval: Self.pause)
            }
        }
    }

    /// Whether it was acknowledged. A connection that broke is nil afterwards.
    private func post(_ like: Like, _ isFirst: Bool, _ connection: inout HTTPConnection?, _ address: String) -> Bool {
        if connection == nil { connection = try? HTTPConnection(address) }
        guard let answer = try? connection?.post("/likes", like.json) else {
            connection?.close()
            connection = nil
            return false
        }
        state.withLock { $0.answers[answer.status, default: 0] += 1 }
        switch answer.status {
        case 201:
            state.withLock { $0.acknowledged.append(like) }
            return true
        case 200 where !isFirst:
            // Saved by an earlier try, whose answer was another.
            state.withLock { $0.acknowledged.append(like) }
            return true
        case 503:
            state.withLock { _ = $0.codes.insert(answer.text("code") ?? "none") }
            if answer.headers["retry-after"].flatMap({ Int($0) }) == nil { complain("503 without Retry-After for \(like.name)") }
            return false
        default:
            complain("\(answer.status) for \(like.name): \(answer.body)")
            return true
        }
    }

    private func complain(_ text: String) {
        state.withLock { $0.wrong.append(text) }
    }
}
