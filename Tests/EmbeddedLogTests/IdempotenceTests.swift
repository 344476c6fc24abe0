import TestSupport
import Testing

@testable import EmbeddedLog

/// Idempotent producers, as Kafka's brokers treat them.
@Suite struct IdempotenceTests {
    let folder: TemporaryFolder
    let clock = ManualClock()

    init() throws {
        folder = try TemporaryFolder()
    }

    private func open(_ change: (inout LogConfiguration) -> Void = { _ in }) throws -> EmbeddedLog {
        var configuration = smallConfiguration(folder.path)
        change(&configuration)
        let log = try UnrecoveredLog(configuration, clock: clock).recover(runsThreads: false)
        try log.ensureTopic("t", TopicConfiguration(partitions: 2))
        return log
    }

    private func part(
        _ values: [String], _ sequence: Int32, epoch: Int16 = 0, producer: Int64 = 9, partition: Int32 = 0
    ) -> PartitionAppend {
        var builder = RecordBatchBuilder()
        for value in values { builder.append(timestamp: 1, key: nil, value: Array(value.utf8)) }
        return PartitionAppend(
            topic: "t", partition: partition,
            records: builder.finish(producer: BatchProducer(id: producer, epoch: epoch, baseSequence: sequence)))
    }

    private func code(_ log: EmbeddedLog, _ parts: PartitionAppend...) -> LogError.Code? {
        do {
            _ = try log.appendAndWait(parts)
            return nil
        } catch {
            return (error as? LogError)?.code
        }
    }

    @Test func repeatedBatchesAreAnsweredWithTheirFirstPlace() throws {
        let log = try open()
        try log.append("t", 0, ["before"])
        for number in 0..<6 { #expect(try log.appendAndWait([part(["a\(number)", "b\(number)"], Int32(2 * number))])[0].baseOffset == 1 + 2 * Int64(number)) }
        for number in 1..<6 {
            let receipt = try log.appendAndWait([part(["a\(number)", "b\(number)"], Int32(2 * number))])[0]
            #expect(receipt.baseOffset == 1 + 2 * Int64(number) && receipt.newRecords == 0 && receipt.duplicates == 2 && receipt.isRepetition)
            #expect(receipt.place(of: 1, in: 0) == (0, 2 + 2 * Int64(number)))
        }
        // Five are remembered; the sixth last is out of order.
        #expect(code(log, part(["a0", "b0"], 0)) == .outOfOrderSequence)
        #expect(code(log, part(["x"], 13)) == .outOfOrderSequence)
        #expect(code(log, part(["x", "y", "z"], 10)) == .outOfOrderSequence)
        #expect(try log.endOffset("t", 0) == 13)
        // Another partition and another producer count for themselves.
        #expect(try log.appendAndWait([part(["x"], 0, partition: 1), part(["x"], 0, producer: 10)]).map(\.baseOffset) == [0, 13])
    }

    @Test func theErrorsSayWhatComesNext() throws {
        let log = try open()
        _ = try log.appendAndWait([part(["a", "b"], 0, epoch: 3)])
        var error = #expect(throws: LogError.self) { _ = try log.appendAndWait([part(["c"], 5, epoch: 3)]) }
        #expect(error?.description == "log.out_of_order_sequence: producer 9, epoch 3, appends sequence 5 to partition 0 of topic \"t\", and 2 comes next; "
            + "go on from there, or begin a new epoch at 0")
        error = #expect(throws: LogError.self) { _ = try log.appendAndWait([part(["c"], 2, epoch: 2)]) }
        #expect(error?.description == "log.producer_fenced: producer 9 appends to partition 0 of topic \"t\" with epoch 2, and epoch 3 has taken over; "
            + "stop the older one")
    }

    @Test func aNewEpochBeginsAtZero() throws {
        let log = try open()
        _ = try log.appendAndWait([part(["a"], 0)])
        #expect(code(log, part(["b"], 1, epoch: 1)) == .outOfOrderSequence)
        #expect(try log.appendAndWait([part(["b"], 0, epoch: 1)])[0].baseOffset == 1)
        #expect(code(log, part(["a"], 0)) == .producerFenced)
        #expect(try log.appendAndWait([part(["b"], 0, epoch: 1)])[0].isRepetition)
    }

    @Test func sequencesGoOnAtZeroAfterTheLargest() throws {
        let log = try open()
        _ = try log.appendAndWait([part(["a", "b"], .max - 2)])
        _ = try log.appendAndWait([part(["c", "d"], .max)])
        #expect(try log.appendAndWait([part(["e"], 1)])[0].baseOffset == 4)
        #expect(code(log, part(["f"], 0)) == .outOfOrderSequence)
    }

    @Test func anAppendIsTakenAsAWhole() throws {
        let log = try open()
        _ = try log.appendAndWait([part(["a"], 0)])
        #expect(code(log, part(["b"], 1), part(["x"], 0, partition: 1), part(["d"], 3)) == .outOfOrderSequence)
        #expect(try log.endOffset("t", 0) == 1 && log.endOffset("t", 1) == 0)
        #expect(try log.appendAndWait([part(["b"], 1), part(["c"], 2), part(["b"], 1)]).map(\.baseOffset) == [1, 2, 1])
        #expect(try log.values("t") == ["a", "b", "c"])
    }

    @Test func aRepetitionInTheSameCycleWaitsForIt() throws {
        let log = try open()
        let answers = Monitor<[Result<[AppendReceipt], LogError>]>([])
        for _ in 0..<3 { log.append([part(["a"], 0)]) { result in answers.withLock { $0.append(result) } } }
        #expect(answers.withLock { $0.isEmpty })
        log.runCommitCycle()
        let receipts = try answers.withLock { try $0.map { try $0.get()[0] } }
        #expect(receipts.map(\.baseOffset) == [0, 0, 0] && receipts.map(\.newRecords) == [1, 0, 0])
    }

    @Test(arguments: [true, false])
    func restartsKeepIt(clean: Bool) throws {
        do {
            let log = try open()
            for number in 0..<7 {
                _ = try log.appendAndWait([part(["\(number)"], Int32(number), epoch: 4), part(["\(number)"], Int32(number), partition: 1)])
                if number == 3 { log.checkpoint() }
            }
            if clean { log.close() }
        }
        let log = try open()
        #expect(code(log, part(["x"], 8, epoch: 4)) == .outOfOrderSequence)
        #expect(code(log, part(["x"], 7, epoch: 3)) == .producerFenced)
        #expect(try log.appendAndWait([part(["2"], 2, epoch: 4), part(["6"], 6, partition: 1)]).map(\.baseOffset) == [2, 6])
        #expect(code(log, part(["1"], 1, epoch: 4)) == .outOfOrderSequence)
        #expect(try log.appendAndWait([part(["7"], 7, epoch: 4)])[0].baseOffset == 7)
        #expect(try log.values("t") == (0...7).map(String.init))
    }

    @Test func producersAreForgottenByNumberAndAge() throws {
        func producers(_ log: EmbeddedLog) throws -> [Int64] { try log.partition("t", 0).commit.producers.states.keys.sorted() }
        do {
            let log = try open { $0.maxProducers = 4 }
            for producer in 0..<6 {
                clock.advance(milliseconds: 1)
                _ = try log.appendAndWait([part(["x"], 0, producer: Int64(producer))])
            }
            #expect(try producers(log) == [2, 3, 4, 5])
        }
        let log = try open { $0.maxProducers = 4 }
        #expect(try producers(log) == [2, 3, 4, 5])
        clock.advance(milliseconds: 86_400_001)
        _ = try log.appendAndWait([part(["x"], 1, producer: 5)])
        _ = try log.appendAndWait([part(["x"], 0, producer: 6)])
        _ = try log.appendAndWait([part(["x"], 0, producer: 7)])
        #expect(try producers(log) == [5, 6, 7])
        // A producer that was forgotten is new, with any sequence.
        #expect(try log.appendAndWait([part(["x"], 77, producer: 2)])[0].newRecords == 1)
    }

    @Test func producersOfDeletedTopicsLeaveNothing() throws {
        do {
            let log = try open()
            for producer in 0..<20 { _ = try log.appendAndWait([part(["x"], 0, producer: Int64(producer))]) }
            try log.deleteTopic("t")
        }
        do {
            let log = try open()
            #expect(log.committer.orphanedProducers.count == 20)
            for producer in 0..<4 { _ = try log.appendAndWait([part(["x"], 0, producer: Int64(producer))]) }
            #expect(log.committer.orphanedProducers.isEmpty)
        }
        let again = try UnrecoveredLog(smallConfiguration(folder.path)).recover(runsThreads: false)
        #expect(again.committer.orphanedProducers.isEmpty)
        #expect(try again.appendAndWait([part(["x"], 0, producer: 3)])[0].isRepetition)
    }
}
