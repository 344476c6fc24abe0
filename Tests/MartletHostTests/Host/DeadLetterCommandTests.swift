import Foundation
import TestSupport
import Testing

extension HostSuites {
    @Suite struct DeadLetterCommandTests {
        private func counts(_ host: HostProcess) async throws -> [Int] {
            let run = try await host.run("dead-letters", "--json")
            let topics = try #require(try run.json() as? [[String: Any]], "\(run.errors)")
            let entry = try #require(topics.first { $0["topic"] as? String == "items" })
            return try [#require(entry["count"] as? Int), #require(entry["not_replayed"] as? Int)]
        }

        private func wait(for wanted: [Int], _ host: HostProcess) async throws {
            try await eventually("dead letters \(wanted)") { try await counts(host) == wanted ? true : nil }
        }

        @Test func deadLettersAreShownAndReplayedOnce() async throws {
            let host = try await HostProcess.start(HostConfigs.items, in: try TemporaryFolder())
            // The table refuses numbers from 100 on.
            let input = #"{"name":"good","n":1}"# + "\n" + #"{"name":"big","n":100}"# + "\n" + #"{"name":"bigger","n":101}"#
            #expect(try await host.run("produce", "items", "--key", "k", "--header", "h=1", input: input).code == 0)
            try await wait(for: [2, 2], host)
            let shown = try await host.run("dead-letters", "show", "items")
            #expect(shown.code == 0, "\(shown.errors)")
            #expect(shown.output.contains("group store  1 attempts  from items/"), "\(shown.output)")
            #expect(shown.output.contains(#"  {"name":"big","n":100}"#), "\(shown.output)")
            #expect(shown.output.contains("[sqlite.constraint]"), "\(shown.output)")
            let json = try await host.run("dead-letters", "show", "items.dead-letters", "--json", "--limit", "1")
            #expect(json.lines.count == 1)

            // They come back to their topic with key and headers; the table refuses them again.
            let one = try await host.run("dead-letters", "replay", "items", "--limit", "1")
            #expect(one.output == "replayed 1 dead letter, 1 remaining\n", "\(one.errors)")
            try await wait(for: [3, 2], host)
            #expect(try await host.run("dead-letters", "replay", "items", "--limit", "1").output == "replayed 1 dead letter, 1 remaining\n")
            try await wait(for: [4, 2], host)
            let replayed = try await host.run("consume", "items", "--json")
            let records = try replayed.lines.map { try #require(JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any]) }
            #expect(records.count == 5)
            #expect(records.allSatisfy { $0["key"] as? String == "k" })
            #expect(records[3]["id"] as? String == records[1]["id"] as? String)
            let headers = try #require(records[3]["headers"] as? [[String: String]])
            #expect(headers.contains(["name": "h", "value": "1"]))
            #expect(headers.contains(["name": "dead-letter-group", "value": "store"]))

            // Where it goes on survives a restart.
            try await host.kill()
            try await host.restart()
            try await wait(for: [4, 2], host)
            let again = try await host.run("dead-letters", "replay", "items", "--from", "3", "--json")
            #expect((try again.json() as? [String: Any])?["replayed"] as? Int == 1, "\(again.errors)")
            let unknown = try await host.run("dead-letters", "replay", "copy")
            #expect(unknown.errors == "martlet: no dead letters of topic `copy` (topics with dead letters: items)\n")
            #expect(try await host.stop() == 0)
        }
    }
}
