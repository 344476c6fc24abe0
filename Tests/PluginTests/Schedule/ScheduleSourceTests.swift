import Foundation
import Martlet
import MartletTesting
import SchedulePlugin
import TestSupport
import Testing

@Suite struct ScheduleSourceTests {
    private func make(_ folder: TemporaryFolder, _ config: String) throws -> ScheduleSource {
        try TestHost(dataDirectory: folder.path).make(ScheduleSource.self, config, name: "nightly")
    }


    @Test func ticksComeAndAreKept() async throws {
        let folder = try TemporaryFolder()
        let source = try make(folder, #"{"every_seconds": 1}"#)
        let intake = RecordingIntake { number, _ in
            number == 0 ? .unavailable(.transient("log.full", "full"), retryAfter: .zero) : .published(id: "x", topic: "t", partition: 0, offset: 0)
        }
        try await source.open(intake: intake)
        await waitUntil { intake.inputs.count >= 3 }
        await source.close()
        let inputs = intake.inputs
        // The first was refused and came again, with the same id.
        #expect(inputs[0].id == inputs[1].id)
        #expect(inputs[1].id != inputs[2].id)
        let text = try #require(inputs[0].id).string
        #expect(text.hasPrefix("nightly/20") && text.hasSuffix("Z"))
        #expect(inputs[0].payload.string.hasPrefix(#"{"schedule":"nightly","tick":"\#(text.dropFirst(8))","timestamp":"#))
        let stored = try String(contentsOfFile: folder.path + "/sources/nightly.tick", encoding: .utf8)
        let last = try #require(inputs.last?.payload.string.split(separator: ":").last)
        #expect("\(last)" == "\(stored)000}")
    }

    @Test(arguments: [("once", 1), ("skip", 0), ("all", 3)])
    func ticksThatPassedAreMadeUpFor(missed: String, count: Int) async throws {
        let folder = try TemporaryFolder()
        try FileManager.default.createDirectory(atPath: folder.path + "/sources", withIntermediateDirectories: true)
        let now = Int(Date().timeIntervalSince1970)
        // Noon of yesterday's day, four days ago, by a schedule whose next tick is far.
        let tick = (now / 86_400 - 3) * 86_400 - 1
        try String(tick).write(toFile: folder.path + "/sources/nightly.tick", atomically: true, encoding: .utf8)
        let host = TestHost(dataDirectory: folder.path)
        let hour = (now / 3600 + 2) % 24
        let source = try host.make(
            ScheduleSource.self, #"{"cron": "0 \#(hour) * * *", "missed": "\#(missed)", "max_missed_events": 3}"#, name: "nightly")
        let intake = RecordingIntake { _, _ in .published(id: "x", topic: "t", partition: 0, offset: 0) }
        try await source.open(intake: intake)
        if count == 0 {
            await waitUntil { host.metrics.render().contains(#"martlet_schedule_missed_total{source="nightly"} 3"#) }
        } else {
            await waitUntil { intake.inputs.count == count }
        }
        await source.close()
        #expect(intake.inputs.count == count)
        #expect(Set(intake.inputs.map(\.id)).count == count)
    }

    @Test(arguments: [
        ("{}", "config.json:1:1: cron: a schedule has either `cron` or `every_seconds`"),
        (#"{"cron": "* * * *"}"#, "config.json:1:10: cron: has 4 fields; cron has five: minute, hour, day of the month, month, day of the week"),
        (#"{"cron": "60 * * * *"}"#, "config.json:1:10: cron: has `60` as minute; expected 0 to 59"),
        (#"{"cron": "0 0 * * fry"}"#, "config.json:1:10: cron: has `fry` as day of the week; expected 0 to 7, or sun, mon"),
        (#"{"cron": "0 0 31 feb *"}"#, "config.json:1:10: cron: never ticks: there is no such day"),
        (#"{"cron": "9-5 * * * *"}"#, "config.json:1:10: cron: has `9-5` as minute; a range goes upwards"),
        (#"{"cron": "@daily", "time_zone": "Europe/Berln"}"#, "config.json:1:33: time_zone: is no time zone of this machine"),
        (#"{"cron": "@daily", "time_zone": "../../etc/passwd"}"#, "config.json:1:33: time_zone: is no name of a time zone"),
        (#"{"every_seconds": 0}"#, "config.json:1:19: every_seconds: must be from 1 to 2678400 seconds, found 0"),
    ])
    func badConfigsAreReported(config: String, problem: String) throws {
        let folder = try TemporaryFolder()
        let error = #expect(throws: ConfigError.self) { try make(folder, config) }
        #expect(error?.problems.count == 1)
        #expect(error?.problems.first.map { "\($0)" }?.hasPrefix(problem) == true, "\(error?.problems.map { "\($0)" } ?? [])")
    }

    @Test func readmeShowsAWorkingConfig() throws {
        let folder = try TemporaryFolder()
        _ = try TestHost(dataDirectory: folder.path).make(
            ScheduleSource.self, try ReadmeExample.json(of: "Schedule"), reserved: ["type", "publish"])
    }
}
