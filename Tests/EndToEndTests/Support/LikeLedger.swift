import Foundation
import Synchronization
import TestSupport

/// What clients have posted and what they were told, over all crashes.
final class LikeLedger: Sendable {
    private struct State {
        var all: [Like] = []
        var acknowledged: [Like] = []
        /// Posted, and the answer never came.
        var unknown: [Like] = []
        var answers: [Int: Int] = [:]
        var wrongAnswers: [String] = []
    }

    private let owners: [String]
    private let state = Mutex(State())

    init(owners: [String]) {
        self.owners = owners
    }

    /// Every like that was ever sent.
    var all: [Like] { state.withLock { $0.all } }
    /// Those that were answered 201, or 200 when they were repeated.
    var acknowledged: [Like] { state.withLock { $0.acknowledged } }
    /// Answers that break a promise, such as a 201 for an acknowledged like.
    var wrongAnswers: [String] { state.withLock { $0.wrongAnswers } }
    /// How many requests were taken.
    var answered: Int { state.withLock { ($0.answers[200] ?? 0) + ($0.answers[201] ?? 0) } }
    var summary: String {
        state.withLock { state in
            let answers = state.answers.sorted { $0.key < $1.key }.map { "\($0.value) × \($0.key)" }.joined(separator: ", ")
            return "\(state.all.count) likes posted, answers \(answers)"
        }
    }

    /// Posts unique likes, and now and then one that was posted before, until the connection breaks.
    func post(to address: String, round: Int, poster: Int, seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        guard let connection = try? HTTPConnection(address) else { return }
        defer { connection.close() }
        var number = 0
        while true {
            number += 1
            let draw = Int.random(in: 0..<20, using: &random)
            let isPosted: Bool
            switch draw {
            case 0:
                isPosted = postAcknowledgedAgain(connection, &random)
            case 1:
                isPosted = postUnknownAgain(connection, &random)
            case 2:
                let owner = owners[Int.random(in: 0..<owners.count, using: &random)]
                isPosted = postNew(Like(owner, (round * 10 + poster) * 100_000 + number, of: owner), connection)
            default:
                let owner = owners[Int.random(in: 0..<owners.count, using: &random)]
                isPosted = postNew(Like("r\(round)-\(poster)-\(number)", of: owner), connection)
            }
            guard isPosted else { return }
        }
    }

    private func postNew(_ like: Like, _ connection: HTTPConnection) -> Bool {
        state.withLock { $0.all.append(like) }
        guard let status = status(of: like, connection) else {
            state.withLock { $0.unknown.append(like) }
            return false
        }
        state.withLock { state in
            switch status {
            case 201: state.acknowledged.append(like)
            case 503: state.unknown.append(like)
            default: state.wrongAnswers.append("\(status) for the new like \(like.name)")
            }
        }
        return true
    }

    /// It was acknowledged, perhaps before a crash: only 200 will do.
    private func postAcknowledgedAgain(_ connection: HTTPConnection, _ random: inout SeededGenerator) -> Bool {
        guard let like = state.withLock({ $0.acknowledged.randomElement(using: &random) }) else { return true }
        guard let status = status(of: like, connection) else { return false }
        if status != 200, status != 503 {
            state.withLock { $0.wrongAnswers.append("\(status) for the acknowledged like \(like.name)") }
        }
        return true
    }

    /// Nobody knows whether it was saved: 201 or 200, and then it is acknowledged.
    private func postUnknownAgain(_ connection: HTTPConnection, _ random: inout SeededGenerator) -> Bool {
        let like = state.withLock { state -> Like? in
            guard !state.unknown.isEmpty else { return nil }
            return state.unknown.remove(at: Int.random(in: 0..<state.unknown.count, using: &random))
        }
        guard let like else { return true }
        let status = status(of: like, connection)
        state.withLock { state in
            switch status {
            case 200, 201: state.acknowledged.append(like)
            case 503, nil: state.unknown.append(like)
            case let status?: state.wrongAnswers.append("\(status) for the repeated like \(like.name)")
            }
        }
        return status != nil
    }

    /// Nil if the connection broke.
    private func status(of like: Like, _ connection: HTTPConnection) -> Int? {
        guard let answer = try? connection.post("/likes", like.json) else { return nil }
        state.withLock { $0.answers[answer.status, default: 0] += 1 }
        return answer.status
    }
}
