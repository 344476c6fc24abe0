import Foundation
import TestSupport
import Testing

extension HostSuites {
    @Suite struct ProduceConsumeTests {
        private func start() async throws -> HostProcess {
            try await HostProcess.start(
                #"{ "topics": { "items": { "partitions": 3 }, "copy": { "partitions": 1 } } }"#, in: try TemporaryFolder())
        }

        private func objects(_ run: CommandRun) throws -> [[String: Any]] {
            try run.lines.map { try #require(JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any]) }
        }

        @Test func whatIsProducedIsConsumed() async throws {
            let host = try await start()
            let produced = try await host.run("produce", "items", "--key", "bob", "--header", "a=1", "--header", "b=", input: #"{"n": 1}"# + "\n\n[2]\n")
            #expect(produced.code == 0, "\(produced.errors)")
            #expect(produced.lines.first == "published 2 events to items")
            #expect(produced.lines.last?.hasSuffix(": 2 at offsets 0 to 1") == true)
            let consumed = try objects(try await host.run("consume", "items", "--json"))
            #expect(consumed.count == 2)
            #expect(consumed[0]["key"] as? String == "bob")
            #expect((consumed[0]["payload"] as? [String: Int]) == ["n": 1])
            #expect(consumed[0]["headers"] as? [[String: String]] == [["name": "a", "value": "1"], ["name": "b", "value": ""]])
            #expect(consumed.map { $0["offset"] as? Int } == [0, 1])
            #expect((consumed[0]["id"] as? String)?.count == 36)
            #expect(try await host.run("consume", "items", "--payload").lines == [#"{"n":1}"#, "[2]"])
            let text = try await host.run("consume", "items", "--limit", "1").output
            #expect(text.contains("@0  20") && text.contains(#"Z  key bob  a=1  b=  {"n":1}"#), "\(text)")
            #expect(try await host.stop() == 0)
        }

        @Test func keysByASeparatorKeepTheirOrder() async throws {
            let host = try await start()
            let input = (0..<3000).map { "user-\($0 % 7):{\"n\":\($0)}" }.joined(separator: "\n")
            let produced = try await host.run("produce", "items", "--key-separator", ":", "--json", input: input)
            #expect((try produced.json() as? [String: Any])?["count"] as? Int == 3000, "\(produced.errors)")
            let consumed = try objects(try await host.run("consume", "items", "--json"))
            #expect(consumed.count == 3000)
            var last: [String: Int] = [:]
            var partitions: [String: Int] = [:]
            for record in consumed {
                let key = try #require(record["key"] as? String)
                let number = try #require((record["payload"] as? [String: Int])?["n"])
                let partition = try #require(record["partition"] as? Int)
                #expect(number % 7 == Int(key.dropFirst(5)))
                #expect(number > last[key] ?? -1)
                #expect(partitions[key] ?? partition == partition)
                last[key] = number
                partitions[key] = partition
            }
            #expect(last.values.min().map { $0 >= 2993 } == true)
            let missing = try await host.run("produce", "items", "--key-separator", ":", input: "a:1\n2\n")
            #expect(missing.code == 1)
            #expect(missing.errors.contains("line 2 has no key: there is no `:` in it"))
            #expect(try await host.stop() == 0)
        }

        @Test func anyBytesAreCopiedAsEnvelopes() async throws {
            let host = try await start()
            try Data([0x68, 0xFF, 0x0A]).write(to: URL(fileURLWithPath: host.folder["bytes"]))
            #expect(try await host.run("produce", "items", "bytes", "--text", "--key", "k", "--header", "h=1").code == 0)
            #expect(try await host.run("produce", "items", "-", "--text", "--key", "k", input: "no \"JSON\" \\ here").code == 0)
            let lines = try await host.run("consume", "items", "--json")
            #expect(lines.output.contains(#""payload_base64":"aP8=""#))
            #expect(lines.output.contains(#""payload_text":"no \"JSON\" \\ here""#))
            let copied = try await host.run("produce", "copy", "--envelope", input: lines.output)
            #expect(copied.code == 0, "\(copied.errors)")
            let copy = try objects(try await host.run("consume", "copy", "--json"))
            let original = try objects(lines)
            for name in ["key", "id", "payload_base64", "payload_text"] {
                #expect(copy.map { $0[name] as? String } == original.map { $0[name] as? String }, "\(name)")
            }
            #expect(copy.map { $0["timestamp"] as? Int } == original.map { $0["timestamp"] as? Int })
            #expect(copy[0]["headers"] as? [[String: String]] == [["name": "h", "value": "1"]])
            #expect(try await host.stop() == 0)
        }

        @Test func placesToBegin() async throws {
            let host = try await start()
            let input = (0..<20).map { "{\"n\":\($0)}" }.joined(separator: "\n")
            #expect(try await host.run("produce", "copy", input: input).code == 0)
            func numbers(_ words: String...) async throws -> [String] {
                try await CommandRun(["consume", "copy", "--payload", "--admin", host.adminAddress] + words, in: host.folder).lines
            }
            #expect(try await numbers("--from", "17") == [#"{"n":17}"#, #"{"n":18}"#, #"{"n":19}"#])
            #expect(try await numbers("--from", "-1") == [#"{"n":19}"#])
            #expect(try await numbers("--from", "-100", "--limit", "1") == [#"{"n":0}"#])
            #expect(try await numbers("--from", "latest").isEmpty)
            #expect(try await numbers("--from", "@0", "--limit", "2").count == 2)
            #expect(try await numbers("--from", "@2100-01-01").isEmpty)
            #expect(try await numbers("--from", "20").isEmpty)
            let beyond = try await host.run("consume", "copy", "--from", "21")
            #expect(beyond.code == 1)
            #expect(beyond.errors == "martlet: offset 21 is past the end of copy/0, which has 0 up to 20\n")
            let partition = try await host.run("consume", "copy", "--partition", "1")
            #expect(partition.code == 1)
            #expect(partition.errors == "martlet: `partition` must be a number from 0 to 0, found `1`\n")
            #expect(try await host.stop() == 0)
        }

        @Test func aFollowerSeesWhatComesAndEndsWithItsReader() async throws {
            let host = try await start()
            let follower = try ChildProcess(
                ["consume", "items", "--follow", "--payload", "--limit", "3", "--from", "earliest", "--admin", host.adminAddress],
                in: host.folder, output: "follow.out", errors: "follow.err")
            for number in 1...3 {
                #expect(try await host.run("produce", "items", input: "\(number)").code == 0)
                try await eventually("event \(number): \(host.folder.read("follow.err"))") {
                    host.folder.read("follow.out").split(separator: "\n").count == number ? true : nil
                }
            }
            #expect(try await follower.waitForEnd() == 0)
            #expect(host.folder.read("follow.out") == "1\n2\n3\n")
            // A follower that waits does not hold up the host's stop, and says why it ends.
            let second = try ChildProcess(
                ["consume", "items", "--follow", "--admin", host.adminAddress], in: host.folder, output: "second.out",
                errors: "second.err")
            try await eventually("the second follower") {
                try await host.request("GET", "/metrics").status == 200 && second.ended == nil ? true : nil
            }
            #expect(try await host.stop() == 0)
            #expect(try await second.waitForEnd() == 1)
            #expect(host.folder.read("second.err").contains("no host answers at"))
        }

        @Test func mistakesAreNamedWithTheirLine() async throws {
            let host = try await start()
            let bad = try await host.run("produce", "items", input: "{\"a\":1}\n\n{\"a\":\n")
            #expect(bad.code == 1)
            #expect(bad.errors.hasPrefix("martlet: line 3: not JSON:"), "\(bad.errors)")
            let unknown = try await host.run("produce", "itemz", input: "1")
            #expect(unknown.errors == "martlet: no topic `itemz`; did you mean `items`? (topics: copy, items)\n")
            let file = try await host.run("produce", "items", "nowhere.ndjson")
            #expect(file.errors == "martlet: cannot open nowhere.ndjson: No such file or directory\n")
            #expect(try await host.run("consume", "items").output.isEmpty)
            let internalTopic = try await host.request("GET", "/v1/topics/__group_offsets/records")
            #expect(internalTopic.status == 404)
            #expect(internalTopic.headers["content-type"] == "application/problem+json")
            #expect(try await host.stop() == 0)
        }

        @Test func oneEventOverHTTP() async throws {
            let host = try await start()
            let answer = try await host.request(
                "POST", "/v1/topics/copy/records?key=bob", type: "application/json", body: #"{"n":1}"#)
            #expect(answer.status == 200)
            #expect(answer.body.hasPrefix(#"{"topic":"copy","count":1,"records":[{"partition":0,"offset":0,"id":""#), "\(answer.body)")
            let envelope = try await host.request(
                "POST", "/v1/topics/copy/records?envelope=true", type: "application/json",
                body: #"{"key":"ann","headers":{"h":"1"},"payload":{"n":2}}"#)
            #expect(envelope.status == 200, "\(envelope.body)")
            let records = try await host.request("GET", "/v1/topics/copy/records?limit=1")
            #expect(records.headers["content-type"] == "application/x-ndjson")
            let next = try #require(records.headers["martlet-cursor"])
            #expect(next == "0:1")
            let rest = try await host.request("GET", "/v1/topics/copy/records?cursor=\(next)")
            #expect(rest.body.contains(#""key":"ann","headers":[{"name":"h","value":"1"}],"payload":{"n":2}}"#), "\(rest.body)")
            for query in ["cursor=9:9", "cursor=x", "limit=0", "limit=10001", "wait_ms=30001", "offset=middle", "partition=7"] {
                #expect(try await host.request("GET", "/v1/topics/copy/records?\(query)").status == 400, "\(query)")
            }
            #expect(try await host.request("POST", "/v1/topics/copy/records", body: "").status == 400)
            #expect(try await host.request("POST", "/v1/topics/copy/records?format=xml", body: "1").status == 400)
            #expect(try await host.stop() == 0)
        }
    }
}
