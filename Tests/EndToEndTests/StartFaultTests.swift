import Foundation
import TestSupport
import Testing

extension EndToEnd {
    /// A host that cannot start says why, on standard error, and ends with a code.
    @Suite struct StartFaultTests {
        @Test func aSecondHostOnTheSameFolderIsRefused() async throws {
            let folder = try TemporaryFolder()
            try TestConfig.copyShipped(to: folder)
            let host = try await HostProcess.start(in: folder)
            let second = try HostProcess(in: folder)
            #expect(try await second.waitForExit() == 1)
            #expect(second.log.contains("log.locked"))
            #expect(second.log.contains("another host has this data folder open"))
            try await host.waitUntilReady()
            #expect(try await host.like(Like("ann", of: "bob")).status == 201)
            #expect(try await host.stop() == 0)
        }

        @Test func aPortInUseIsNamed() async throws {
            let folder = try TemporaryFolder()
            try TestConfig.copyShipped(to: folder)
            let host = try await HostProcess.start(in: folder)
            let other = try TemporaryFolder()
            try TestConfig.copyShipped(to: other)
            let second = try HostProcess(in: other, set: ["host.listen=\(host.address)"])
            #expect(try await second.waitForExit() == 1)
            #expect(second.log.contains(host.address))
            #expect(second.log.contains("in use"))
            #expect(try await host.stop() == 0)
        }

        @Test func aDataFolderThatCannotBeMadeIsNamed() async throws {
            let folder = try TemporaryFolder()
            try TestConfig.copyShipped(to: folder)
            let host = try HostProcess(in: folder, set: ["host.data_directory=config.json/data"])
            #expect(try await host.waitForExit() == 1)
            #expect(host.log.contains("config.json/data"))
            #expect(host.log.contains("Not a directory"))
        }

        @Test func aBadConfigStartsNothing() async throws {
            let folder = try TemporaryFolder()
            var config = try TestConfig.shipped()
            config.set("groups", "notification-store", "sink", "database", to: "man")
            config.set("topics", "notifications", "retentoin_hours", to: 3)
            try config.write(to: folder)
            let host = try HostProcess(in: folder)
            #expect(try await host.waitForExit() == 78)
            #expect(host.log.contains("unknown database `man`; did you mean `main`?"))
            #expect(host.log.contains("unknown key `retentoin_hours`; did you mean `retention_hours`?"))
            #expect(!FileManager.default.fileExists(atPath: folder["data"]))
        }

        @Test func aBadReloadLeavesTheRunningConfigInPlace() async throws {
            let folder = try TemporaryFolder()
            var config = try TestConfig.shipped()
            try config.write(to: folder)
            let host = try await HostProcess.start(in: folder)
            try await host.waitUntilReady()
            let stream = StreamClient(HostProcess.streamPath(of: "bob"))
            try await host.connect(stream)
            config.set("queries", "newest", to: [
                "path": "/newest", "database": "main", "sql": "SELECT MAX(id) AS id FROM notifications",
            ])
            config.set("groups", "notification-store", "sink", "database", to: "man")
            try config.write(to: folder)
            host.signal(SIGHUP)
            try await eventually("the refusal") { host.log.contains("unknown database `man`") }
            #expect(try await host.get("/newest").status == 404)
            try await host.likeAll([Like("a1", of: "bob")])
            _ = try await stream.waitForMessages(1)

            config.set("groups", "notification-store", "sink", "database", to: "main")
            try config.write(to: folder)
            host.signal(SIGHUP)
            try await eventually("the new query") { try await host.get("/newest").status == 200 }
            // Its channel did not change: the stream is the same connection.
            #expect(stream.isConnected)
            try await host.likeAll([Like("a2", of: "bob")])
            let messages = try await stream.waitForMessages(2)
            #expect(messages.map { $0.text("actor") } == ["a1", "a2"])
            #expect(try await host.stop() == 0)
        }
    }
}
