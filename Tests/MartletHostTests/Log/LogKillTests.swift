import Benchmarks
import EmbeddedLog
import Foundation
import TestSupport
import Testing

extension HostSuites {
    /// `kill -9` of a process whose producers append, again and again: what it acknowledged is there, in order, and once.
    @Suite struct LogKillTests {
        /// MARTLET_LOG_KILL_ROUNDS asks for more, MARTLET_LOG_KILL_SEED for a run's moments again.
        private static let rounds = ProcessInfo.processInfo.environment["MARTLET_LOG_KILL_ROUNDS"].flatMap { Int($0) } ?? 16
        private static let seed =
            ProcessInfo.processInfo.environment["MARTLET_LOG_KILL_SEED"].flatMap { UInt64($0) } ?? UInt64.random(in: 1...1_000_000)

        private struct Record: Hashable {
            let round: Int
            let producer: Int
            let sequence: Int
        }

        @Test func acknowledgedRecordsSurvive() async throws {
            let folder = try TemporaryFolder()
            var state = Self.seed
            var acknowledged: Set<Record> = []
            for round in 1...Self.rounds {
                let output = "out-\(round)"
                let load = try ChildProcess(
                    ["bench", "kill-load", "--directory", folder["data"], "--round", String(round)], in: folder, output: output, errors: "errors")
                state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                if round % 4 == 3 {
                    // Not a wait for anything: the moment of the fault, while it recovers.
                    try await Task.sleep(for: .milliseconds(Int(state >> 33) % 60))
                } else {
                    let wanted = 1 + Int(state >> 33) % 3000
                    try await eventually("\(wanted) lines of round \(round): \(folder.read("errors"))") {
                        load.ended != nil || Self.lineCount(folder, output) >= wanted ? true : nil
                    }
                }
                #expect(load.ended == nil, "\(folder.read("errors"))")
                load.signal(SIGKILL)
                try await load.waitForEnd()
                acknowledged.formUnion(try Self.records(folder, output))
                if round % 4 == 0 || round == Self.rounds { try check(folder, acknowledged) }
            }
            #expect(acknowledged.count > 1000)
            print("log kill loop: \(Self.rounds) rounds, seed \(Self.seed), \(acknowledged.count) acknowledged records")
        }

        private static func lineCount(_ folder: TemporaryFolder, _ name: String) -> Int {
            guard let data = FileManager.default.contents(atPath: folder[name]) else { return 0 }
            return data.reduce(0) { $1 == 10 ? $0 + 1 : $0 }
        }

        /// The whole lines that the process wrote; its last may be cut short.
        private static func records(_ folder: TemporaryFolder, _ name: String) throws -> [Record] {
            let text = folder.read(name)
            guard let end = text.lastIndex(of: "\n") else { return [] }
            return try text[..<end].split(separator: "\n").map { line in
                let numbers = line.split(separator: " ").compactMap { Int($0) }
                guard numbers.count == 3 else { throw TestFailure("the load says: \(line)") }
                return Record(round: numbers[0], producer: numbers[1], sequence: numbers[2])
            }
        }

        private func check(_ folder: TemporaryFolder, _ acknowledged: Set<Record>) throws {
            let report = try LogInspection(directory: folder["data"]).verify()
            #expect(report.findings == [], "seed \(Self.seed)")
            let log = try UnrecoveredLog(LogConfiguration(directory: folder["data"], minFreeBytes: 0, journalBytes: 2 << 20, maxRecordBytes: 64 << 10))
                .recover()
            defer { log.close() }
            var found: Set<Record> = []
            for partition in 0..<Int32(LogKillLoad.partitions) {
                var last: [Int: Record] = [:]
                for record in try Self.read(log, partition) {
                    #expect(found.insert(record).inserted, "\(record) comes twice, seed \(Self.seed)")
                    if let before = last[record.producer] {
                        #expect((before.round, before.sequence) < (record.round, record.sequence), "\(record) after \(before), seed \(Self.seed)")
                    }
                    last[record.producer] = record
                }
            }
            let lost = acknowledged.subtracting(found)
            #expect(lost.isEmpty, "acknowledged and lost, seed \(Self.seed): \(lost.prefix(5))")
            // Nobody was told of the others, and at most so many were under way at a kill.
            #expect(found.count - acknowledged.count <= Self.rounds * LogKillLoad.producers * 64)
        }

        private static func read(_ log: EmbeddedLog, _ partition: Int32) throws -> [Record] {
            var records: [Record] = []
            var offset: Int64 = 0
            while true {
                let chunk = try log.read(LogKillLoad.topic, partition: partition, from: offset, maxBytes: 1 << 20)
                if chunk.isEmpty { return records }
                var cursor = chunk.records()
                while try cursor.next() {
                    guard cursor.offset == offset, let value = cursor.value else { throw TestFailure("offset \(cursor.offset) where \(offset) belongs") }
                    offset += 1
                    let numbers = (0..<(value.count / 8)).map { Int(value.loadUnaligned(fromByteOffset: 8 * $0, as: Int64.self)) }
                    guard numbers.count >= 3 else { throw TestFailure("a record of \(value.count) bytes at \(cursor.offset)") }
                    let expected = LogKillLoad.value(numbers[0], numbers[1], numbers[2])
                    guard numbers.map(Int64.init) == expected else { throw TestFailure("a torn record at offset \(cursor.offset)") }
                    records.append(Record(round: numbers[0], producer: numbers[1], sequence: numbers[2]))
                }
            }
        }
    }
}
