import Foundation
import Glibc
import TestSupport
import Testing

extension HostSuites {
    @Suite struct ReloadTests {
        private let more = #"{ "topics": { "items": { "partitions": 3 }, "more": {} }, "groups": { "print": { "topics": ["items"], "sink": { "type": "console" } } } }"#

        @Test func aSignalReloads() async throws {
            let host = try await HostProcess.start(HostConfigs.topics, in: try TemporaryFolder())
            try host.folder.write(more, to: "config.json")
            host.signal(SIGHUP)
            try await eventually("the topic `more`") { try await host.run("topics", "show", "more").code == 0 ? true : nil }
            try host.folder.write(#"{ "topics": { "items": { "partitionz": 3 } } }"#, to: "config.json")
            host.signal(SIGHUP)
            try await eventually("the problem in the log") { host.log.contains("the config was not reloaded; the running one stays") ? true : nil }
            #expect(host.log.contains("unknown key `partitionz`; did you mean `partitions`?"))
            #expect(try await host.run("topics", "show", "more").code == 0)
            #expect(try await host.stop() == 0)
        }

        @Test func theCommandReloads() async throws {
            let host = try await HostProcess.start(HostConfigs.topics, in: try TemporaryFolder())
            try host.folder.write(more, to: "config.json")
            let good = try await host.run("reload")
            #expect(good.code == 0)
            #expect(good.output == "config reloaded\n")
            try host.folder.write("{ \"topics\": {\n  \"items\": 3 } }", to: "config.json")
            let bad = try await host.run("reload")
            #expect(bad.code == 78)
            #expect(bad.errors.hasPrefix("martlet: the config was not reloaded; the running one stays\nconfig.json:2:12: topics.items: "), "\(bad.errors)")
            let answer = try await host.request("POST", "/v1/reload")
            #expect(answer.status == 422)
            #expect(answer.body.contains(#""problems":[{"code":"config.wrong_type","#), "\(answer.body)")
            #expect(try await host.run("groups", "show", "print").code == 0)
            // Fewer partitions than the data has.
            try host.folder.write(#"{ "topics": { "items": { "partitions": 1 } } }"#, to: "config.json")
            let fewer = try await host.run("reload")
            #expect(fewer.code == 78)
            #expect(fewer.errors.contains("partitions"), "\(fewer.errors)")
            #expect(try await host.stop() == 0)
        }

        /// They could not be taken away again.
        @Test func aReloadThatIsRefusedAddsNoPartitions() async throws {
            func topics(_ items: Int, _ others: Int) -> String {
                #"{ "topics": { "items": { "partitions": \#(items) }, "others": { "partitions": \#(others) } } }"#
            }
            let host = try await HostProcess.start(topics(3, 2), in: try TemporaryFolder())
            try host.folder.write(topics(8, 1), to: "config.json")
            #expect(try await host.run("reload").code == 78)
            try host.folder.write(topics(3, 2), to: "config.json")
            let back = try await host.run("reload")
            #expect(back.code == 0, "\(back.errors)")
            #expect(try await host.stop() == 0)
        }

        /// A group whose block did not change reads the partitions that its topic gets.
        @Test func newPartitionsAreRead() async throws {
            let host = try await HostProcess.start(more, in: try TemporaryFolder())
            #expect(try await host.run("produce", "items", input: "1").code == 0)
            try await eventually("the first event") { host.output.contains(#""payload":1}"#) ? true : nil }
            try host.folder.write(more.replacingOccurrences(of: #""partitions": 3"#, with: #""partitions": 8"#), to: "config.json")
            #expect(try await host.run("reload").code == 0)
            for number in 2...9 { #expect(try await host.run("produce", "items", input: "\(number)").code == 0) }
            try await eventually("all events: \(host.output)") {
                (1...9).allSatisfy { host.output.contains("\"payload\":\($0)}") } ? true : nil
            }
            #expect(host.output.split(separator: "\n").count == 9)
            #expect(try await host.stop() == 0)
        }
    }
}
