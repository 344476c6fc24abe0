import Foundation
import TestSupport
import Testing

extension EndToEnd {
    /// Clients that repeat a request on another host while the first one is under way.
    @Suite struct IdempotencyTests {
        private static let threads = 8
        private static let keys = 60

        /// Posts a like for each key, one after the other, and returns the answers.
        private static func post(_ thread: Int, to address: String) async throws -> [HTTPAnswer] {
            try await onThread {
                let connection = try HTTPConnection(address)
                return try (0..<keys).map { number in
                    let like = Like("ann-\(thread)-\(number)", of: "bob")
                    let headers = ["Content-Type: application/json", "Idempotency-Key: \(thread)-\(number)"]
                    return try connection.request("POST", "/likes", headers: headers, body: like.json)
                }
            }
        }

        @Test func aKeyOnTwoHostsAtOnceIsOneLikeAndTheSameAnswerTwice() async throws {
            let cluster = try Cluster(2, .servers)
            try await cluster.start()
            let addresses = [cluster[0].address, cluster[1].address]
            let answers = try await withThrowingTaskGroup(of: (thread: Int, answers: [HTTPAnswer]).self) { group in
                for thread in 0..<Self.threads {
                    for address in addresses { group.addTask { (thread, try await Self.post(thread, to: address)) } }
                }
                var all: [Int: [[HTTPAnswer]]] = [:]
                for try await (thread, answers) in group { all[thread, default: []].append(answers) }
                return all
            }
            for (thread, pair) in answers {
                for number in 0..<Self.keys {
                    #expect(pair.map { $0[number].status } == [201, 201], "key \(thread)-\(number): \(pair.map { $0[number].body })")
                    #expect(Set(pair.map { $0[number].body }).count == 1, "key \(thread)-\(number)")
                }
            }
            let count = Self.threads * Self.keys
            try await eventually("one row for each like") { try await cluster[0].notifications(of: "bob").count == min(50, count) }
        }
    }
}
