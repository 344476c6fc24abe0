import Foundation
import Glibc
import TestSupport
import Testing

extension HostSuites {
    /// Sinks `exec` in a running host.
    @Suite struct ExecHostTests {
        /// The whole sink that the README shows.
        private static func readmeScript() throws -> String {
            let readme = try String(contentsOfFile: Compiler.package + "/README.md", encoding: .utf8)
            let start = try #require(readme.range(of: "```python\n"))
            let end = try #require(readme.range(of: "```", range: start.upperBound..<readme.endIndex))
            return String(readme[start.upperBound..<end.lowerBound])
        }

        private static func config(partitions: Int, batchEvents: Int, _ script: String) -> String {
            """
            { "topics": { "notifications": { "partitions": \(partitions) } },
              "groups": { "audit": { "topics": ["notifications"], "batch_events": \(batchEvents), "sink": {
                "type": "exec", "command": ["python3", "\(script)"], "options": { "file": "audit.log" }, "restart_max_ms": 100,
                "batch_timeout_ms": 120000 } } } }
            """
        }

        /// The process in the folder that runs this script.
        private static func process(running script: String, in folder: TemporaryFolder) -> pid_t? {
            let here = URL(fileURLWithPath: folder.path).resolvingSymlinksInPath().path
            let processes = (try? FileManager.default.contentsOfDirectory(atPath: "/proc"))?.compactMap { pid_t($0) } ?? []
            return processes.first { process in
                guard (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/\(process)/cwd")) == here else { return false }
                let line = try? FileHandle(forReadingAtPath: "/proc/\(process)/cmdline")?.readToEnd()
                return line?.suffix(script.utf8.count + 2) == Data("\0\(script)\0".utf8)
            }
        }

        /// The second word of each line.
        private static func texts(_ folder: TemporaryFolder) -> [String] {
            folder.read("audit.log").split(separator: "\n").compactMap { $0.split(separator: " ").dropFirst().first.map(String.init) }
        }

        @Test func aKilledProcessLosesNothingAndKeepsTheOrder() async throws {
            let folder = try TemporaryFolder()
            try folder.write(Self.readmeScript(), to: "audit.py")
            let host = try await HostProcess.start(Self.config(partitions: 1, batchEvents: 20, "audit.py"), in: folder)
            let (rounds, each) = (5, 400)
            for round in 0..<rounds {
                let lines = (round * each..<(round + 1) * each).map { #"{"text":"\#($0)"}"# }.joined(separator: "\n")
                let before = Self.texts(folder).count
                #expect(try await host.run("produce", "notifications", input: lines).code == 0)
                try await eventually("records in the file") { Self.texts(folder).count > before ? true : nil }
                let victim = try await eventually("the process") { Self.process(running: "audit.py", in: folder) }
                Glibc.kill(victim, SIGKILL)
            }
            try await eventually("all records in the file: \(host.log)") { Set(Self.texts(folder)).count == rounds * each ? true : nil }
            // A batch may come again, as a whole and from its beginning.
            var seen = Set<String>()
            #expect(Self.texts(folder).filter { seen.insert($0).inserted } == (0..<rounds * each).map(String.init))
            #expect(host.log.contains("was ended by signal 9; starting it again"))
            try await eventually("no lag") { try await Self.group(host).lag == 0 ? true : nil }
            #expect(try await host.stop() == 0)
            #expect(Self.process(running: "audit.py", in: folder) == nil)
        }

        /// Takes the first batch, then reads nothing more until a file is there.
        private static let stopping = """
            import json, os, sys, time
            hello = json.loads(sys.stdin.readline())
            print(json.dumps({"type": "ready", "protocol": 1, "capabilities": ["pipeline"]}), flush=True)
            log = open(hello["options"]["file"], "a")
            for number, line in enumerate(sys.stdin):
                batch = json.loads(line)
                while number == 0 and not os.path.exists("go"): time.sleep(0.01)
                for record in batch["records"]: print(record["id"], record["payload"]["text"][:8].strip("."), file=log)
                log.flush()
                print(json.dumps({"type": "results", "id": batch["id"], "results": "ok"}), flush=True)
            """

        /// What the process does not take stays in the log: a batch of each partition is in memory, and no more.
        @Test func aProcessThatStopsReadingHoldsUpOnlyItsGroup() async throws {
            let folder = try TemporaryFolder()
            try folder.write(Self.stopping, to: "stopping.py")
            let host = try await HostProcess.start(Self.config(partitions: 4, batchEvents: 100, "stopping.py"), in: folder)
            let padding = String(repeating: ".", count: 4_000)
            let lines = (0..<4_000).map { #"k\#($0 % 64):{"text":"\#($0)\#(padding)"}"# }.joined(separator: "\n")
            #expect(try await host.run("produce", "notifications", "--key-separator", ":", input: lines).code == 0)
            let held = try await eventually("records under way") {
                let group = try await Self.group(host)
                return group.lag == 4_000 && group.inFlight > 0 ? group : nil
            }
            #expect(held.inFlight <= 400)
            try folder.write("", to: "go")
            try await eventually("all records in the file: \(host.log)") { Set(Self.texts(folder)).count == 4_000 ? true : nil }
            #expect(Self.texts(folder).count == 4_000)
            #expect(try await host.stop() == 0)
        }

        private static func group(_ host: HostProcess) async throws -> (lag: Int, inFlight: Int) {
            let text = try await host.request("GET", "/v1/groups/audit").body
            let group = try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any]
            let counters = group?["counters"] as? [String: Any]
            return (try #require(group?["lag"] as? Int, "\(text)"), try #require(counters?["in_flight"] as? Int, "\(text)"))
        }
    }
}
