public import Martlet

/// What every ``EventLog`` promises, as a suite that the author of an engine runs with one call:
///
/// ```swift
/// try await LogContract.verify { store in EmbeddedEventLog(directory: "\(folder)/\(store)", …) }
/// ```
public struct LogContract: Sendable {
    /// A promise that a run leaves out, because the engine does not give it, or because the server that a test runs it against
    /// cannot do it. Everything else is verified.
    public enum Omission: Sendable, CaseIterable {
        /// Rows of a producer's mark that come again are appended once. On Kafka: at least once.
        case producerMarks
        /// The first record at or after a time can be found.
        case timeLookup
        /// A topic can get more partitions.
        case addedPartitions
        /// The groups that have committed offsets can be listed.
        case groupList
    }

    /// Makes a log that is not open yet. Calls with the same number make logs over the same store, of which only one is
    /// open at a time; a new number means a new, empty one.
    public typealias Factory = @Sendable (_ store: Int) async throws -> any EventLog

    let make: Factory
    let patience: Patience
    let omissions: Set<Omission>

    /// Verifies all promises, each over a store of its own.
    ///
    /// - Parameters:
    ///   - patience: how long to wait for an answer before the log counts as hanging.
    ///   - omissions: what is not verified; the author of an engine says why.
    ///   - make: makes a log.
    /// - Throws: ``ContractViolation`` for the first promise that is broken.
    public static func verify(
        patience: Duration = .seconds(10), leavingOut omissions: Set<Omission> = [], make: @escaping Factory
    ) async throws {
        let contract = LogContract(make: make, patience: Patience(limit: patience), omissions: omissions)
        try await contract.verifyLifeCycle(1)
        try await contract.verifyAppends(2)
        try await contract.verifyKeys(3)
        try await contract.verifyReads(4)
        try await contract.verifyWaits(5)
        if !omissions.contains(.producerMarks) { try await contract.verifyMarks(6) }
        try await contract.verifyOffsets(7)
        try await contract.verifyTopics(8)
        try await contract.verifyProducers(9)
    }

    private func verifyLifeCycle(_ store: Int) async throws {
        let promise = Promise("a log can be closed at any time, and what it acknowledged is there when it is opened again")
        let unopened = try await make(store)
        try await patience.run("close before open", promise) { await unopened.close() }
        try await promise.requireError(.transient, from: "an append before open") { _ = try await unopened.take(Self.events(0..<1)) }
        let first = try await make(store)
        try await first.open()
        let topic = try await first.ensureTopic("t", Self.settings(2))
        let places = try await first.take(Self.events(0..<20))
        try await patience.run("close, twice", promise) {
            await first.close()
            await first.close()
        }
        try await promise.requireError(.transient, from: "an append after close") { _ = try await first.take(Self.events(0..<1)) }
        let second = try await make(store)
        try await second.open()
        let again = try await second.ensureTopic("t", Self.settings(2))
        try promise.require("the topic's incarnation", again.incarnation, is: topic.incarnation)
        let found = try await second.everything()
        try promise.require("records after another start", found.count, is: places.count)
        try promise.require("ids after another start", Set(found.map(\.event.id.string)), is: Set((0..<20).map { "event-\($0)" }))
        await second.close()
    }

    private func verifyAppends(_ store: Int) async throws {
        let promise = Promise("appended events are there whole, at the places that were answered, in order and without holes")
        try await withLog(store, partitions: 3) { log in
            let events = Self.events(0..<200)
            let places = try await log.take(events)
            try promise.require("places", places.count, is: events.count)
            for partition in PartitionID(0)..<3 {
                let records = try await log.all(partition)
                try promise.require("offsets of partition \(partition)", records.map(\.offset), is: (0..<records.count).map(Offset.init))
                let expected = zip(events, places).filter { $0.1.partition == partition }.map { event, place in
                    Record(topic: "t", partition: partition, offset: place.offset, event: event).fingerprint
                }
                try promise.require("records of partition \(partition)", records.map(\.fingerprint), is: expected)
            }
        }
    }

    private func verifyKeys(_ store: Int) async throws {
        let promise = Promise("events of one key go to one partition, in the order of their appends")
        try await withLog(store, partitions: 4) { log in
            for start in stride(from: 0, to: 100, by: 10) { _ = try await log.take(Self.events(start..<start + 10)) }
            let records = try await log.everything()
            for key in Set(records.compactMap(\.event.key)) {
                let own = records.filter { $0.event.key == key }
                try promise.require("partitions of key \(key)", Set(own.map(\.partition)).count, is: 1)
                let numbers = own.map(Self.number)
                try promise.require("events of key \(key), by number", numbers, is: numbers.sorted())
            }
        }
    }

    private func verifyReads(_ store: Int) async throws {
        let promise = Promise("a read begins at its offset and has at least one record; beyond what is kept it says what there is")
        try await withLog(store) { log in
            try promise.require("records of an empty partition", try await log.read(topic: "t", partition: 0, from: 0, maxBytes: 1_000).count, is: 0)
            for number in 0..<50 { _ = try await log.take(Self.events(number..<number + 1)) }
            let some = try await log.read(topic: "t", partition: 0, from: 20, maxBytes: 1)
            try promise.require("the first offset of a read from 20", some.first?.offset, is: 20)
            try promise.require(some.count < 30, "a read of 1 byte returned all \(some.count) records")
            try promise.require("records at the end", try await log.read(topic: "t", partition: 0, from: 50, maxBytes: 1_000).count, is: 0)
            try promise.require("offsets", try log.offsets(topic: "t", partition: 0), is: 0..<50)
            for offset in [Offset(-1), 51] {
                do {
                    _ = try await log.read(topic: "t", partition: 0, from: offset, maxBytes: 1_000)
                } catch let error as OffsetOutOfRange {
                    try promise.require("what the error says is there", error.available, is: 0..<50)
                    continue
                }
                throw ContractViolation(promise.text, "a read from \(offset) of 0..<50 did not throw OffsetOutOfRange")
            }
            if omissions.contains(.timeLookup) { return }
            let found = try await log.offset(topic: "t", partition: 0, at: Self.firstTime + 30)
            try promise.require("the offset at the time of event 30", found, is: 30)
            let last = try await log.offset(topic: "t", partition: 0, at: Self.firstTime + 1_000)
            try promise.require("the offset after the last time", last, is: 50)
        }
    }

    private func verifyWaits(_ store: Int) async throws {
        let promise = Promise("`waitForRecord` returns when there is a record, and ends when its task is cancelled")
        try await withLog(store) { log in
            let waiting = Task { try await log.waitForRecord(topic: "t", partition: 0, at: 0) }
            _ = try await log.take(Self.events(0..<1))
            try await patience.run("a wait for a record that has come", promise) { try await waiting.value }
            try await patience.run("a wait for a record that is there", promise) {
                try await log.waitForRecord(topic: "t", partition: 0, at: 0)
            }
            try await patience.runCancelled("a wait in a cancelled task", promise) {
                try await log.waitForRecord(topic: "t", partition: 0, at: 1)
            }
        }
    }

    /// When event 0 happened: a little while ago, since brokers refuse times that are far off, or delete what is so old.
    private static let firstTime = Timestamp.now() - 1_000_000

    /// The number of an event among those of ``events(_:)``.
    static func number(_ record: Record) -> Int { Int(record.event.timestamp - firstTime) }

    /// Events, each a millisecond after the one before, and with one of four keys.
    static func events(_ numbers: Range<Int>) -> [Event] {
        numbers.map { number in
            Event(
                id: Bytes("event-\(number)"), key: Bytes("key-\(number % 4)"), headers: [Header("a", "1"), Header("number", Bytes("\(number)"))],
                payload: Bytes("{\"number\":\(number)}"), timestamp: firstTime + Int64(number))
        }
    }

    static func settings(_ partitions: Int) -> TopicSettings {
        TopicSettings(partitions: partitions, retentionMilliseconds: nil, retentionBytes: nil, segmentBytes: 1 << 20, cleanup: .delete)
    }

    /// A new log with the topic `t`.
    func withLog(_ store: Int, partitions: Int = 1, _ body: (any EventLog) async throws -> Void) async throws {
        let log = try await make(store)
        do {
            try await log.open()
            _ = try await log.ensureTopic("t", Self.settings(partitions))
            try await body(log)
        } catch {
            await log.close()
            throw error
        }
        await log.close()
    }
}

extension EventLog {
    /// Appends to the topic `t` and waits for the acknowledgement.
    func take(_ events: [Event], mark: ProducerMark? = nil) async throws -> [RecordPlace] {
        try await withCheckedThrowingContinuation { continuation in
            append(events, to: "t", mark: mark) { continuation.resume(with: $0.mapError { $0 as any Error }) }
        }
    }

    /// All records of a partition of `t`.
    func all(_ partition: PartitionID) async throws -> [Record] {
        var records: [Record] = []
        while true {
            let next = records.last.map { $0.offset + 1 } ?? 0
            let page = try await read(topic: "t", partition: partition, from: next, maxBytes: 1 << 20)
            if page.isEmpty { return records }
            records += page
        }
    }

    /// All records of `t`, partition after partition.
    func everything() async throws -> [Record] {
        var records: [Record] = []
        for partition in 0..<PartitionID(topic("t")?.partitions ?? 0) { records += try await all(partition) }
        return records
    }
}
