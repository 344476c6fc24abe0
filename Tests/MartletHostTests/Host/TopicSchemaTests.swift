import Foundation
#if canImport(FoundationNetworking)
import FoundationNetworking
#endif
import TestSupport
import Testing

extension HostSuites {
    /// Every way into a topic asks its schema.
    @Suite struct TopicSchemaTests {
        private static let schema = #"{"type":"object","required":["n"],"properties":{"n":{"type":"integer","maximum":99},"tags":{"type":"array","items":{"type":"string"}}}}"#

        private static func config(_ schema: String, rest: String = "") -> String {
            #"""
            { "topics": { "items": { "schema": \#(schema) } },
              "sources": { "in": { "type": "http", "path": "/in", "publish": { "topic": "items" } },
                           "shaped": { "type": "http", "path": "/shaped", "publish": { "topic": "items", "payload": { "n": "${/number}" } } } }\#(rest) }
            """#
        }

        private static func post(_ url: String, _ body: String) async throws -> (Int, String) {
            var request = URLRequest(url: try #require(URL(string: url)))
            request.httpMethod = "POST"
            request.setValue("application/json", forHTTPHeaderField: "Content-Type")
            request.httpBody = Data(body.utf8)
            let (data, response) = try await URLSession.shared.data(for: request)
            return ((response as? HTTPURLResponse)?.statusCode ?? 0, String(decoding: data, as: UTF8.self))
        }

        @Test func theDoorsRefuseWhatDoesNotMeetIt() async throws {
            let host = try await HostProcess.start(Self.config(Self.schema), in: try TemporaryFolder())
            // Produced by an operator.
            let bad = try await host.run("produce", "items", input: #"{"n":1}"# + "\n" + #"{"n":2,"tags":["a",7]}"#)
            #expect(bad.code == 1)
            #expect(bad.errors.contains("event 2") && bad.errors.contains("/tags/1"), "\(bad.errors)")
            #expect(try await host.run("produce", "items", input: #"{"n":1,"tags":["a"]}"#).code == 0)
            // Through a source, as it is and as `publish` shapes it.
            func post(_ path: String, _ body: String) async throws -> (Int, String) {
                try await Self.post("http://\(host.address)\(path)", body)
            }
            #expect(try await post("/in", #"{"n":3}"#).0 == 202)
            let refused = try await post("/in", #"{"n":"3"}"#)
            #expect(refused.0 == 422)
            #expect(refused.1.contains(#""code":"topic.schema_mismatch""#) && refused.1.contains("/n"), "\(refused.1)")
            #expect(try await post("/shaped", #"{"number":4}"#).0 == 202)
            #expect(try await post("/shaped", #"{"number":400}"#).0 == 422)
            #expect(try await post("/shaped", #"{"number":"4"}"#).0 == 422)
            #expect(try await host.run("consume", "items", "--payload").lines == [#"{"n":1,"tags":["a"]}"#, #"{"n":3}"#, #"{"n":4}"#])
            #expect(try await host.stop() == 0)
        }

        /// The schema stands in the config of the host that has the log, and not in the other's.
        @Test func theLogRefusesWhatAnotherHostAppends() async throws {
            let owner = try await HostProcess.start(Self.config(Self.schema), in: try TemporaryFolder())
            let other = try await HostProcess.start(
                #"""
                { "log": { "type": "remote", "url": "http://\#(owner.adminAddress)" }, "topics": { "items": {} },
                  "sources": { "in": { "type": "http", "path": "/in", "publish": { "topic": "items" } } } }
                """#, in: try TemporaryFolder())
            try await other.waitUntilReady()
            let door = "http://\(other.address)/in"
            let refused = try await Self.post(door, #"{"n":"3"}"#)
            #expect(refused.0 == 422)
            #expect(refused.1.contains(#""code":"topic.schema_mismatch""#) && refused.1.contains("/n"), "\(refused.1)")
            // Those that come together share requests to the log: a bad one takes no good one with it.
            let statuses = try await withThrowingTaskGroup(of: (Int, Int).self) { group in
                for number in 0..<40 {
                    group.addTask { (number, try await Self.post(door, number % 3 == 0 ? #"{"n":\#(number + 100)}"# : #"{"n":\#(number)}"#).0) }
                }
                return try await group.reduce(into: [Int: Int]()) { $0[$1.0] = $1.1 }
            }
            #expect(statuses == Dictionary(uniqueKeysWithValues: (0..<40).map { ($0, $0 % 3 == 0 ? 422 : 202) }))
            let kept = try await owner.run("consume", "items", "--payload").lines
            #expect(Set(kept) == Set((0..<40).filter { $0 % 3 != 0 }.map { #"{"n":\#($0)}"# }) && kept.count == 26, "\(kept)")
            #expect(try await other.stop() == 0)
            #expect(try await owner.stop() == 0)
        }

        @Test func aReloadChangesItAndItMayStandInAFile() async throws {
            let folder = try TemporaryFolder()
            try folder.write(#"{"required":["a"]}"#, to: "item.schema.json")
            let host = try await HostProcess.start(Self.config("\"item.schema.json\""), in: folder)
            #expect(try await host.run("produce", "items", input: #"{"b":1}"#).code == 1)
            #expect(try await host.run("produce", "items", input: #"{"a":1}"#).code == 0)
            try folder.write(Self.config(#"{"required":["b"]}"#), to: "config.json")
            let reload = try await host.run("reload")
            #expect(reload.code == 0, "\(reload.errors)")
            #expect(try await host.run("produce", "items", input: #"{"b":1}"#).code == 0)
            let posted = try await host.run("produce", "items", input: #"{"a":1}"#)
            #expect(posted.code == 1)
            #expect(try await host.stop() == 0)
        }

        @Test func deadLettersComeBackOnlyIfTheyMeetIt() async throws {
            let rest = #", "groups": { "g": { "topics": ["items"], "transforms": [ { "type": "jq", "program": "error(\"no\")" } ], "sink": { "type": "console" } } }"#
            let host = try await HostProcess.start(Self.config("{}", rest: rest), in: try TemporaryFolder())
            #expect(try await host.run("produce", "items", input: #"{"n":1}"# + "\n" + #"{"m":1}"#).code == 0)
            try await eventually("two dead letters") {
                let topics = try await host.run("dead-letters", "--json").json() as? [[String: Any]]
                return topics?.first?["count"] as? Int == 2 ? true : nil
            }
            try host.folder.write(Self.config(#"{"required":["n"]}"#, rest: rest), to: "config.json")
            #expect(try await host.run("reload").code == 0)
            let replay = try await host.run("dead-letters", "replay", "items")
            #expect(replay.output.hasPrefix("replayed 1 dead letter, 1 skipped"), "\(replay.output)\(replay.errors)")
            #expect(try await host.stop() == 0)
        }

        @Test(arguments: [
            (#"{"type": "thing"}"#, "topics.items.schema: is no JSON Schema"), ("\"missing.json\"", "topics.items.schema: the schema file cannot be read"),
            ("7", "topics.items.schema: must be a JSON Schema, or the path of a file that holds one"),
        ])
        func aBadSchemaIsAConfigProblem(schema: String, problem: String) async throws {
            let folder = try TemporaryFolder()
            try folder.write(Self.config(schema), to: "config.json")
            let run = try await CommandRun(["validate"], in: folder)
            #expect(run.code == 78)
            #expect((run.output + run.errors).contains(problem), "\(run.output)\(run.errors)")
        }
    }
}
