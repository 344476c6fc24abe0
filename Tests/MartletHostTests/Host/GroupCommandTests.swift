import Foundation
import TestSupport
import Testing

extension HostSuites {
    @Suite struct GroupCommandTests {
        /// Ten items, handled by both groups.
        private func start() async throws -> HostProcess {
            let host = try await HostProcess.start(HostConfigs.items, in: try TemporaryFolder())
            let input = (0..<10).map { "k\($0):{\"name\":\"i\($0)\",\"n\":\($0)}" }.joined(separator: "\n")
            #expect(try await host.run("produce", "items", "--key-separator", ":", input: input).code == 0)
            try await waitForLag(0, of: "store", host)
            try await waitForLag(0, of: "print", host)
            return host
        }

        private func group(_ name: String, _ host: HostProcess) async throws -> [String: Any] {
            let run = try await host.run("groups", "show", name, "--json")
            return try #require(try run.json() as? [String: Any], "\(run.errors)")
        }

        private func counter(_ counter: String, of name: String, _ host: HostProcess) async throws -> Int {
            let counters = try await group(name, host)["counters"] as? [String: Int]
            return try #require(counters?[counter])
        }

        private func waitForLag(_ lag: Int, of name: String, _ host: HostProcess) async throws {
            try await eventually("lag \(lag) of \(name)") { try await group(name, host)["lag"] as? Int == lag ? true : nil }
        }

        @Test func theTable() async throws {
            let host = try await start()
            let lines = try await host.run("groups").lines
            #expect(lines[0].split(separator: " ").first == "GROUP")
            #expect(lines[1].split(separator: " ").map(String.init) == ["store", "running", "0", "items", "sink/table", "10", "0"])
            #expect(lines[2].split(separator: " ").map(String.init) == ["print", "running", "0", "items", "sink/console", "10", "0"])
            #expect(try await group("store", host)["offsets_in"] as? String == "sink")
            #expect(try await group("print", host)["offsets_in"] as? String == "log")
            let unknown = try await host.run("groups", "show", "stor")
            #expect(unknown.code == 1)
            #expect(unknown.errors == "martlet: no group `stor`; did you mean `store`? (groups: store, print)\n")
            #expect(try await host.stop() == 0)
        }

        @Test func aPausedGroupWaitsAndGoesOn() async throws {
            let host = try await start()
            #expect(try await host.run("groups", "pause", "print").output == "print is paused\n")
            #expect(try await host.run("produce", "items", "--key", "k1", input: #"{"name":"late","n":1}"#).code == 0)
            try await waitForLag(0, of: "store", host)
            let paused = try await group("print", host)
            #expect(paused["state"] as? String == "paused")
            #expect(paused["lag"] as? Int == 1)
            #expect(!host.output.contains("late"))
            #expect(try await host.run("groups", "resume", "print").output == "print is running\n")
            try await eventually("the late item") { host.output.contains("late") ? true : nil }
            #expect(try await host.stop() == 0)
        }

        @Test(arguments: ["store", "print"]) func aResetIsPreviewedRefusedAndExecuted(_ name: String) async throws {
            let host = try await start()
            let preview = try await host.run("groups", "reset", name, "--to", "earliest")
            #expect(preview.code == 0, "\(preview.errors)")
            #expect(preview.output.contains("again"))
            #expect(preview.lines.last == "Nothing was changed. Add --execute to set these offsets (the group must be paused).")
            let refused = try await host.run("groups", "reset", name, "--to", "earliest", "--execute")
            #expect(refused.code == 1)
            #expect(refused.errors == "martlet: the group runs; pause it first\n")
            #expect(try await counter("consumed", of: name, host) == 10)

            #expect(try await host.run("groups", "pause", name).code == 0)
            let done = try await host.run("groups", "reset", name, "--to", "earliest", "--execute")
            #expect(done.code == 0, "\(done.errors)")
            #expect(done.lines.last == "\(name) was reset; `martlet groups resume \(name)` lets it go on.")
            try await waitForLag(10, of: name, host)
            // It is as durable as a commit.
            try await host.kill()
            try await host.restart()
            try await waitForLag(0, of: name, host)
            try await eventually("ten records again") { try await counter("handled", of: name, host) == 10 ? true : nil }
            #expect(try await host.stop() == 0)
        }

        @Test func aResetToOnePlace() async throws {
            let host = try await start()
            #expect(try await host.run("groups", "pause", "print").code == 0)
            let run = try await host.run("groups", "reset", "print", "--to", "1", "--partition", "1", "--json", "--execute")
            let answer = try #require(try run.json() as? [String: Any], "\(run.errors)")
            let partitions = try #require(answer["partitions"] as? [[String: Any]])
            #expect(answer["executed"] as? Bool == true)
            #expect(partitions.count == 1)
            #expect(partitions[0]["partition"] as? Int == 1)
            #expect(partitions[0]["to"] as? Int == 1)
            let end = try #require(partitions[0]["end"] as? Int)
            try await waitForLag(end - 1, of: "print", host)
            // Past the end is the end; so long ago is the beginning.
            let beyond = try await host.run("groups", "reset", "print", "--to", "1000", "--execute")
            #expect(beyond.output.contains("skipped"))
            try await waitForLag(0, of: "print", host)
            #expect(try await host.run("groups", "reset", "print", "--by", "7d", "--execute").code == 0)
            try await waitForLag(10, of: "print", host)
            #expect(try await host.run("groups", "reset", "print", "--to", "@2100-01-01T00:00:00Z", "--execute").code == 0)
            try await waitForLag(0, of: "print", host)
            let wrong = try await host.run("groups", "reset", "print", "--to", "0", "--topic", "copy")
            #expect(wrong.errors == "martlet: no topic `copy` (topics: items)\n")
            let partition = try await host.run("groups", "reset", "print", "--to", "0", "--partition", "5")
            #expect(partition.errors == "martlet: the group does not read partition 5\n")
            #expect(try await host.run("groups", "resume", "print").code == 0)
            #expect(try await counter("handled", of: "print", host) == 10)
            #expect(try await host.stop() == 0)
        }
    }
}
