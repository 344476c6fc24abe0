import Foundation
import TestSupport
import Testing

extension HostSuites {
    /// `validate`, and what keeps a host from starting.
    @Suite struct StartTests {
        @Test func aGoodConfig() async throws {
            let folder = try TemporaryFolder()
            try folder.write(HostConfigs.items, to: "config.json")
            let run = try await CommandRun(["validate"], in: folder)
            #expect(run.code == 0)
            #expect(run.output == "config.json is good: 2 topics, 2 groups, 1 database\n")
            #expect(run.errors.isEmpty)
            #expect(!FileManager.default.fileExists(atPath: folder["data"]))
        }

        @Test func aBadConfig() async throws {
            let folder = try TemporaryFolder()
            try folder.write(
                """
                {
                  "topics": { "items": { "partitionz": 2 } },
                  "groups": { "store": { "topics": ["item"], "sink": { "type": "consol" } } }
                }
                """, to: "bad.json")
            let run = try await CommandRun(["validate", "bad.json"], in: folder)
            #expect(run.code == 78)
            #expect(run.lines.first?.hasPrefix("bad.json:2:26: topics.items.partitionz: unknown key `partitionz`; did you mean `partitions`?") == true)
            #expect(run.output.contains("bad.json:3:37: groups.store.topics[0]: unknown topic `item`; did you mean `items`?"))
            #expect(run.output.contains("unknown sink type `consol`; did you mean `console`?"))
            #expect(run.lines.last == "3 problems in bad.json")
            let json = try await CommandRun(["validate", "bad.json", "--json"], in: folder)
            #expect(json.code == 78)
            #expect((try json.json() as? [String: Any])?["count"] as? Int == 3)
            let started = try await CommandRun(["run", "--config", "bad.json"], in: folder)
            #expect(started.code == 78)
            #expect(!FileManager.default.fileExists(atPath: folder["data"]))
        }

        @Test func noConfig() async throws {
            let folder = try TemporaryFolder()
            let run = try await CommandRun(["run"], in: folder)
            #expect(run.code == 78)
            #expect(run.errors.contains("config.json"))
        }

        @Test func unknownCommandsAndOptions() async throws {
            let folder = try TemporaryFolder()
            let run = try await CommandRun(["grups"], in: folder)
            #expect(run.code == 2)
            #expect(run.errors.hasPrefix("martlet: unknown command `grups`; did you mean `martlet groups`?"))
            let option = try await CommandRun(["topics", "--jsn"], in: folder)
            #expect(option.code == 2)
            #expect(option.errors.hasPrefix("martlet: unknown option --jsn; did you mean --json?\n\nusage: martlet topics "))
            let help = try await CommandRun(["--help"], in: folder)
            #expect(help.code == 0)
            for name in HelpTests.names { #expect(help.output.contains("\n  \(name)"), "\(name)") }
        }

        @Test func aPortInUse() async throws {
            let host = try await HostProcess.start(HostConfigs.topics, in: try TemporaryFolder())
            let folder = try TemporaryFolder()
            try folder.write(HostConfigs.topics, to: "config.json")
            let second = try await CommandRun(
                ["run", "--set", "host.listen=\(host.address)", "--set", "host.admin_listen=127.0.0.1:0"], in: folder)
            #expect(second.code == 1)
            #expect(second.errors.contains(host.address), "\(second.errors)")
            #expect(second.errors.contains("in use"), "\(second.errors)")
            #expect(try await host.stop() == 0)
        }

        @Test func aSecondHostOnTheSameDataFolder() async throws {
            let folder = try TemporaryFolder()
            let host = try await HostProcess.start(HostConfigs.topics, in: folder)
            let second = try await CommandRun(
                ["run", "--set", "host.listen=127.0.0.1:0", "--set", "host.admin_listen=127.0.0.1:0"], in: folder)
            #expect(second.code == 1)
            #expect(second.errors.contains("lock"), "\(second.errors)")
            #expect(second.errors.contains("data"), "\(second.errors)")
            // The first one did not notice.
            #expect(try await host.run("topics").code == 0)
            #expect(try await host.stop() == 0)
        }

        @Test func aDataFolderThatCannotBeMade() async throws {
            let folder = try TemporaryFolder()
            try folder.write("a file", to: "data")
            try folder.write(HostConfigs.topics, to: "config.json")
            let run = try await CommandRun(
                ["run", "--set", "host.listen=127.0.0.1:0", "--set", "host.admin_listen=127.0.0.1:0"], in: folder)
            #expect(run.code == 1)
            #expect(run.errors.contains("data"), "\(run.errors)")
            #expect(run.errors.contains("Not a directory"), "\(run.errors)")
        }

        @Test func aHostThatIsKilledStartsAgain() async throws {
            let host = try await HostProcess.start(HostConfigs.topics, in: try TemporaryFolder())
            #expect(try await host.run("produce", "items", "--key", "a", input: "1\n2\n").code == 0)
            try await host.kill()
            try await host.restart()
            #expect(try await host.run("consume", "items", "--payload").lines == ["1", "2"])
            #expect(try await host.stop() == 0)
        }

        @Test func noHost() async throws {
            let folder = try TemporaryFolder()
            try folder.write(#"{ "host": { "admin_listen": "127.0.0.1:1" } }"#, to: "config.json")
            let run = try await CommandRun(["topics"], in: folder)
            #expect(run.code == 1)
            #expect(
                run.errors == "martlet: no host answers at http://127.0.0.1:1; start one with `martlet run`, or pass its admin address with --admin\n")
        }

        @Test func theToken() async throws {
            let folder = try TemporaryFolder()
            let config = #"{ "host": { "admin_token": "${env:TEST_TOKEN}" }, "topics": { "items": {} } }"#
            let host = try await HostProcess.start(config, in: folder, environment: ["TEST_TOKEN": "s3cret"])
            let elsewhere = try TemporaryFolder()
            let refused = try await CommandRun(["topics", "--admin", host.adminAddress], in: elsewhere)
            #expect(refused.code == 1)
            #expect(refused.errors.contains("wants its admin token: set MARTLET_ADMIN_TOKEN"))
            let given = try await CommandRun(
                ["topics", "--admin", host.adminAddress], in: elsewhere, environment: ["MARTLET_ADMIN_TOKEN": "s3cret"])
            #expect(given.code == 0)
            #expect(try await host.run("topics", environment: ["TEST_TOKEN": "s3cret"]).code == 0)
            #expect(try await host.request("GET", "/v1/topics").status == 401)
            #expect(try await host.request("GET", "/v1/topics", token: "s3cre").status == 401)
            #expect(try await host.request("GET", "/v1/topics", token: "s3cret").status == 200)
            #expect(try await host.request("GET", "/healthz").status == 200)
            #expect(try await host.stop() == 0)
        }
    }
}
