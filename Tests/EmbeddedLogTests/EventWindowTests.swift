import Foundation
import TestSupport
import Testing

@testable import EmbeddedLog

/// The window of event ids of a topic.
@Suite struct EventWindowTests {
    let folder: TemporaryFolder
    let clock = ManualClock()

    init() throws {
        folder = try TemporaryFolder()
    }

    private func open(
        events: Int = 100, milliseconds: Int64 = 60_000, compression: Compression = .none, threads: Bool = false
    ) throws -> EmbeddedLog {
        let log = try UnrecoveredLog(smallConfiguration(folder.path), clock: clock).recover(runsThreads: threads)
        try log.ensureTopic(
            "t", TopicConfiguration(
                partitions: 3, compression: compression, deduplication: DeduplicationWindow(events: events, milliseconds: milliseconds)))
        return log
    }

    private func part(_ ids: [String?], _ partition: Int32 = 0, headers: [RecordHeader] = [], producer: BatchProducer = .none) -> PartitionAppend {
        var builder = RecordBatchBuilder()
        for id in ids {
            let id = id.map { [RecordHeader(name: "martlet-id", value: $0)] } ?? []
            builder.append(timestamp: clock.now(), key: nil, value: Array("\(ids)".utf8), headers: id + headers)
        }
        return PartitionAppend(topic: "t", partition: partition, records: builder.finish(producer: producer))
    }

    private func places(_ receipt: AppendReceipt, _ count: Int, _ partition: Int32) -> [String] {
        (0..<count).map { index in
            let place = receipt.place(of: index, in: partition)
            return "\(place.partition)/\(place.offset)"
        }
    }

    private func ends(_ log: EmbeddedLog) throws -> [Int64] { try (0..<3).map { try log.endOffset("t", $0) } }

    @Test func aKnownEventIsAnsweredWithItsFirstPlace() throws {
        let log = try open()
        #expect(try log.appendAndWait([part(["a", "b", "c"])])[0].newRecords == 3)
        // In another partition too, as an event without a key may come back.
        let receipt = try log.appendAndWait([part(["x", "b", "y", "c", "x", "z"], 1)])[0]
        #expect(receipt.newRecords == 3 && receipt.duplicates == 3)
        #expect(places(receipt, 6, 1) == ["1/0", "0/1", "1/1", "0/2", "1/0", "1/2"])
        #expect(try ends(log) == [3, 3, 0])
        let all = try log.appendAndWait([part(["c", "z"], 2)])[0]
        #expect(all.newRecords == 0 && places(all, 2, 2) == ["0/2", "1/2"])
        #expect(try ends(log) == [3, 3, 0])
    }

    @Test func recordsWithoutIDAndDeadLettersSentAgainAreNew() throws {
        let log = try open()
        for _ in 0..<2 {
            #expect(try log.appendAndWait([part([nil, nil])])[0].newRecords == 2)
            #expect(try log.appendAndWait([part(["a"], headers: [RecordHeader(name: "dead-letter-topic", value: "t")])])[0].newRecords == 1)
        }
        #expect(try log.appendAndWait([part(["a"])])[0].newRecords == 1)
        #expect(try log.appendAndWait([part(["a"])])[0].newRecords == 0)
    }

    @Test func theWindowEndsByNumberAndAge() throws {
        let log = try open(events: 4)
        _ = try log.appendAndWait([part(["a", "b", "c", "d"])])
        #expect(try log.appendAndWait([part(["a"])])[0].newRecords == 0)
        _ = try log.appendAndWait([part(["e"])])
        #expect(try log.appendAndWait([part(["b"])])[0].newRecords == 0)
        #expect(try log.appendAndWait([part(["a"])])[0].newRecords == 1)
        clock.advance(milliseconds: 60_000)
        #expect(try log.appendAndWait([part(["a"])])[0].newRecords == 0)
        clock.advance(milliseconds: 1)
        #expect(try log.appendAndWait([part(["a"])])[0].newRecords == 1)
    }

    @Test(arguments: [true, false], [Compression.none, .zstd])
    func restartsRebuildIt(clean: Bool, compression: Compression) throws {
        do {
            let log = try open(events: 30, compression: compression)
            for number in 0..<60 {
                clock.advance(milliseconds: 1_000)
                _ = try log.appendAndWait([part(["id-\(number)"], Int32(number % 3))])
                if number == 20 { log.checkpoint() }
            }
            if clean { log.close() }
        }
        let log = try open(events: 30, compression: compression)
        for number in 30..<60 {
            let receipt = try log.appendAndWait([part(["id-\(number)"], 2)])[0]
            #expect(receipt.newRecords == 0 && places(receipt, 1, 2) == ["\(number % 3)/\(number / 3)"], "id-\(number)")
        }
        #expect(try log.appendAndWait([part(["id-29"])])[0].newRecords == 1)
        clock.advance(milliseconds: 40_000)
        // The age goes on from before the restart: id-40 was appended 41 seconds after the start.
        #expect(try log.appendAndWait([part(["id-59"]), part(["id-41"])]).map(\.newRecords) == [0, 0])
        clock.advance(milliseconds: 2_000)
        #expect(try log.appendAndWait([part(["id-40"]), part(["id-42"])]).map(\.newRecords) == [1, 0])
    }

    @Test func concurrentAppendsKeepEachEventOnce() async throws {
        let log = try open(events: 10_000, threads: true)
        defer { log.close() }
        let answers = try await withThrowingTaskGroup(of: [String].self) { tasks in
            for worker in 0..<8 {
                tasks.addTask {
                    var places: [String] = []
                    for number in 0..<100 {
                        let answer: [AppendReceipt] = try await withCheckedThrowingContinuation { continuation in
                            log.append([part(["id-\(number)"], Int32(worker % 3))]) { continuation.resume(with: $0) }
                        }
                        places += self.places(answer[0], 1, Int32(worker % 3))
                    }
                    return places
                }
            }
            return try await tasks.reduce(into: [[String]]()) { $0.append($1) }
        }
        #expect(Set(answers).count == 1)
        #expect(try ends(log).reduce(0, +) == 100)
    }

    @Test func itGoesWithProducerSequences() throws {
        let log = try open()
        _ = try log.appendAndWait([part(["a"], 1)])
        let batch = part(["x", "a", "y"], producer: BatchProducer(id: 5, epoch: 0, baseSequence: 0))
        let receipt = try log.appendAndWait([batch])[0]
        #expect(places(receipt, 3, 0) == ["0/0", "1/0", "0/1"])
        let again = try log.appendAndWait([batch])[0]
        #expect(again.isRepetition && places(again, 3, 0) == ["0/0", "1/0", "0/1"])
        let next = try log.appendAndWait([part(["z"], producer: BatchProducer(id: 5, epoch: 0, baseSequence: 3))])[0]
        #expect(places(next, 1, 0) == ["0/2"])
    }

    @Test func aWindowCanBeChangedAndTakenAway() throws {
        let log = try open()
        _ = try log.appendAndWait([part((0..<50).map { "id-\($0)" })])
        try log.ensureTopic("t", TopicConfiguration(partitions: 3, deduplication: DeduplicationWindow(events: 10, milliseconds: 60_000)))
        #expect(try log.appendAndWait([part(["new"]), part(["id-45"]), part(["id-30"])]).map(\.newRecords) == [1, 0, 1])
        try log.ensureTopic("t", TopicConfiguration(partitions: 3))
        #expect(try log.appendAndWait([part(["new"])])[0].newRecords == 1)
        // Switched on again, it knows what is there.
        try log.ensureTopic("t", TopicConfiguration(partitions: 3, deduplication: DeduplicationWindow(events: 3, milliseconds: 60_000)))
        #expect(try log.appendAndWait([part(["new"]), part(["id-30"]), part(["id-49"])]).map(\.newRecords) == [0, 0, 1])
        let error = #expect(throws: LogError.self) {
            try log.ensureTopic("t", TopicConfiguration(partitions: 3, deduplication: DeduplicationWindow(events: 0, milliseconds: 1)))
        }
        #expect(error?.code == .invalidTopic)
    }
}
