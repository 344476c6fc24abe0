import EmbeddedLog
import Foundation
import TestSupport
import Testing

extension HostSuites {
    /// `martlet log` as an operator calls it.
    @Suite struct LogCommandTests {
        let folder: TemporaryFolder

        init() throws { folder = try TemporaryFolder() }

        /// A log with 10 records in topic `t`.
        private func fill() throws {
            let log = try UnrecoveredLog(LogConfiguration(directory: folder["data"], minFreeBytes: 0, journalBytes: 8 << 20)).recover(runsThreads: false)
            try log.ensureTopic("t", TopicConfiguration())
            for number in 0..<10 {
                var builder = RecordBatchBuilder()
                builder.append(timestamp: 1, key: nil, value: Array("record \(number)".utf8))
                log.append([PartitionAppend(topic: "t", partition: 0, records: builder.finish())]) { _ in }
                log.runCommitCycle()
            }
            log.close()
        }

        private var segment: String { folder["data/log/t/0/00000000000000000000.log"] }

        /// Flips a bit in the fourth record.
        private func damage() throws -> Int {
            var bytes = try Data(contentsOf: URL(fileURLWithPath: segment))
            let size = bytes.count / 10
            bytes[3 * size + 65] ^= 1
            try bytes.write(to: URL(fileURLWithPath: segment))
            return size
        }

        @Test func aSoundLogIsSound() async throws {
            try fill()
            try folder.write(#"{ "host": { "data_directory": "data" } }"#, to: "config.json")
            let run = try await CommandRun(["log", "verify"], in: folder)
            #expect(run.code == 0)
            #expect(run.lines.last == "The log is sound.")
            #expect(run.lines.first?.contains("10 records; closed cleanly") == true, "\(run.output)")
            #expect(run.errors == "", "progress is for terminals")
            #expect(try await CommandRun(["log", "repair", "data", "--accept-loss"], in: folder).code == 0)
        }

        @Test func damageIsNamedPreviewedAndRepaired() async throws {
            try fill()
            let size = try damage()
            let verify = try await CommandRun(["log", "verify", "data"], in: folder)
            #expect(verify.code == 1)
            let expected = """
                segment data/log/t/0/00000000000000000000.log, bytes \(3 * size) to \(4 * size - 1)
                  damage: a batch that does not have its checksum
                """
            #expect(verify.output.hasPrefix(expected), "\(verify.output)")
            #expect(verify.output.contains("  lost: t/0, offsets 3 to 3, 1 record\n"))
            #expect(verify.output.contains("1 piece of damage; 1 record is lost."))

            let json = try #require(try await CommandRun(["log", "verify", "data", "--json"], in: folder).json() as? [String: Any])
            #expect(json["sound"] as? Bool == false && json["lost_records"] as? Int == 1)
            let finding = try #require((json["findings"] as? [[String: Any]])?.first)
            #expect(finding["from_byte"] as? Int == 3 * size && finding["subject"] as? String == "segment")
            let loss = try #require((finding["losses"] as? [[String: Any]])?.first)
            #expect(loss["topic"] as? String == "t" && loss["from_offset"] as? Int == 3 && loss["to_offset"] as? Int == 3)

            let before = try Data(contentsOf: URL(fileURLWithPath: segment))
            let preview = try await CommandRun(["log", "repair", "data"], in: folder)
            #expect(preview.code == 1)
            #expect(preview.lines.last?.hasPrefix("Nothing was changed.") == true)
            #expect(try Data(contentsOf: URL(fileURLWithPath: segment)) == before)

            let repair = try await CommandRun(["log", "repair", "data", "--accept-loss"], in: folder)
            #expect(repair.code == 0, "\(repair.output)\(repair.errors)")
            #expect(repair.lines.last == "The log was repaired, and is sound.")
            #expect(try await CommandRun(["log", "verify", "data"], in: folder).code == 0)
            let log = try UnrecoveredLog(LogConfiguration(directory: folder["data"], minFreeBytes: 0, journalBytes: 8 << 20)).recover(runsThreads: false)
            #expect(try log.endOffset("t", 0) == 10)
            var cursor = try log.read("t", partition: 0, from: 3, maxBytes: 1000).records()
            #expect(try cursor.next() && cursor.offset == 4)
            log.close()
        }

        @Test func anOpenLogIsLeftAlone() async throws {
            try fill()
            let log = try UnrecoveredLog(LogConfiguration(directory: folder["data"], minFreeBytes: 0, journalBytes: 8 << 20)).recover(runsThreads: false)
            for words in [["verify"], ["repair", "--accept-loss"]] {
                let run = try await CommandRun(["log", words[0], "data"] + words.dropFirst(), in: folder)
                #expect(run.code == 1)
                #expect(run.errors.contains("log.locked: another host has this data folder open"), "\(run.errors)")
            }
            log.close()
            let nothing = try await CommandRun(["log", "verify", "nowhere"], in: folder)
            #expect(nothing.code == 1 && nothing.errors.contains("log.not_found: there is no log in this data folder"))
            let noConfig = try await CommandRun(["log", "verify"], in: folder)
            #expect(noConfig.code == 2 && noConfig.errors.contains("there is no config.json here"))
        }

        @Test func histories() async throws {
            let run = try await CommandRun(["log", "simulate", "--seed", "7", "--histories", "3", "--steps", "40"], in: folder)
            #expect(run.code == 0, "\(run.errors)")
            #expect(run.output == "3 histories of 40 steps, seeds 7 to 9: every promise was kept\n")
        }
    }
}
