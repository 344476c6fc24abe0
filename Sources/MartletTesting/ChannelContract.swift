public import Martlet

/// What every ``DeliveryChannel`` promises, as a suite that an author runs on a new channel with one call:
///
/// ```swift
/// try await ChannelContract.verify(
///     payload: { "\"record-\($0)\"" },
///     attach: { channel in
///         let stream = try connect(channel)
///         return { ids(in: stream.text) }
///     },
///     make: { try host.make(SSEChannel.self, #"{"path": "/stream"}"#) })
/// ```
public struct ChannelContract: Sendable {
    /// Which messages a receiver gets in the order of the log.
    public enum Order: Sendable {
        /// All of a partition.
        case partition
        /// Those of a key: messages of several keys may be on their way at the same time.
        case key
    }

    /// Makes a channel that is not open yet.
    public typealias Factory = @Sendable () async throws -> any DeliveryChannel
    /// What a receiver has got so far: ids of records (`record-0`, `record-1` …) in the order of their arrival, as often as
    /// they have come.
    public typealias Received = @Sendable () async throws -> [String]

    private let records: ContractRecords
    private let badPayload: String?
    private let order: Order
    private let attach: @Sendable (any DeliveryChannel) async throws -> Received
    private let make: Factory
    private let makeUnreachable: Factory?
    private let patience: Patience

    /// Verifies all promises, each with a new channel.
    ///
    /// - Parameters:
    ///   - payload: the payload of the record with a number.
    ///   - badPayload: a payload that the channel must refuse as the record's own fault; nil if there is none.
    ///   - order: which messages arrive in their order.
    ///   - attach: connects a receiver of all messages to an open channel.
    ///   - makeUnreachable: makes a channel that cannot be opened now; nil if that cannot be.
    ///   - patience: how long to wait for a message before it counts as lost.
    ///   - make: makes a channel.
    /// - Throws: ``ContractViolation`` for the first promise that is broken.
    public static func verify(
        payload: @escaping @Sendable (Int) -> String, badPayload: String? = nil, order: Order = .partition,
        attach: @escaping @Sendable (any DeliveryChannel) async throws -> Received, makeUnreachable: Factory? = nil,
        patience: Duration = .seconds(10), make: @escaping Factory
    ) async throws {
        let contract = ChannelContract(
            records: ContractRecords(payload: payload), badPayload: badPayload, order: order, attach: attach, make: make,
            makeUnreachable: makeUnreachable, patience: Patience(limit: patience))
        try await contract.verifyLifeCycle()
        try await contract.verifyDelivery()
        try await contract.verifyBadRecord()
        try await contract.verifyPartitions()
        try await contract.verifyDrain()
        try await contract.verifyCancellation()
    }

    private func verifyLifeCycle() async throws {
        let promise = Promise("a channel can be closed at any time, more than once, and opened again")
        let unopened = try await make()
        try await patience.run("close before open", promise) { await unopened.close() }
        let channel = try await make()
        try await patience.run("open, then close twice", promise) {
            try await channel.open(replay: nil)
            await channel.close()
            await channel.close()
        }
        try await patience.run("open after close", promise) { try await channel.open(replay: nil) }
        let received = try await attach(channel)
        try await deliver(records.messages(0..<1), channel, promise)
        try await arrival(of: ["record-0"], received, promise)
        await channel.close()
        guard let makeUnreachable else { return }
        let away = try await makeUnreachable()
        try await patience.runAway(promise, open: { try await away.open(replay: nil) }, close: { await away.close() })
    }

    private func verifyDelivery() async throws {
        let promise = Promise("messages arrive in their order, and a message that is delivered again does no harm")
        try await withChannel { channel, received in
            try await deliver([], channel, promise)
            for range in [0..<3, 3..<4, 4..<50, 40..<50, 50..<60] { try await deliver(records.messages(range), channel, promise) }
            let expected = (0..<60).map { "record-\($0)" }
            try await arrival(of: expected, received, promise)
            try requireOrder(of: records.records(0..<60), in: try await received(), promise)
        }
    }

    private func verifyBadRecord() async throws {
        guard let badPayload else { return }
        let promise = Promise("a bad record is the only one that fails, permanently")
        try await withChannel { channel, received in
            let bad = Message(record: records.record(2, badPayload), previousOffset: 1)
            let batch = records.messages(0..<2) + [bad] + records.messages(3..<5)
            guard case .each(let errors) = try await channel.deliver(batch) else {
                throw ContractViolation(promise.text, "a batch with a bad record was reported as handled")
            }
            try promise.require("kinds of the outcomes", errors.map { $0?.kind }, is: [nil, nil, .permanent, nil, nil])
            try await arrival(of: [0, 1, 3, 4].map { "record-\($0)" }, received, promise)
        }
    }

    private func verifyPartitions() async throws {
        let promise = Promise("messages of several partitions at the same time all arrive, those of each in their order")
        try await withChannel { channel, received in
            try await withThrowingTaskGroup(of: Void.self) { group in
                for partition in 0..<4 {
                    group.addTask {
                        for start in stride(from: partition * 100, to: partition * 100 + 50, by: 10) {
                            try await deliver(records.messages(start..<start + 10, partition: PartitionID(partition)), channel, promise)
                        }
                    }
                }
                try await group.waitForAll()
            }
            let expected = (0..<4).map { records.records($0 * 100..<$0 * 100 + 50, partition: PartitionID($0)) }
            try await arrival(of: expected.flatMap { $0.map(\.event.id.string) }, received, promise)
            for partition in expected { try requireOrder(of: partition, in: try await received(), promise) }
        }
    }

    private func verifyDrain() async throws {
        let promise = Promise("`drain` ends at its deadline at the latest, and what is delivered after `close` is not refused for good")
        let channel = try await make()
        try await channel.open(replay: nil)
        _ = try await attach(channel)
        try await patience.run("drain", promise) { await channel.drain(within: .milliseconds(50)) }
        try await patience.run("close after drain", promise) { await channel.close() }
        let batch = records.messages(0..<1)
        try await patience.run("deliver after close", promise) {
            do {
                guard case .each(let errors) = try await channel.deliver(batch) else { return }
                try promise.require(!errors.contains { $0?.kind == .permanent }, "a record was refused for good after close")
            } catch let error as ModuleError {
                try promise.require(error.kind != .permanent, "deliver after close failed permanently: \(error)")
            }
        }
        await channel.close()
    }

    private func verifyCancellation() async throws {
        let promise = Promise("`deliver` ends when its task is cancelled, and works again after that")
        try await withChannel { channel, received in
            let batch = records.messages(0..<100)
            try await patience.runCancelled("deliver in a cancelled task", promise) { _ = try await channel.deliver(batch) }
            try await patience.run("deliver after that", promise) { try await deliver(batch, channel, promise) }
            try await arrival(of: (0..<100).map { "record-\($0)" }, received, promise)
        }
    }

    private func deliver(_ messages: [Message], _ channel: any DeliveryChannel, _ promise: Promise) async throws {
        let result: WriteResult
        do {
            result = try await channel.deliver(messages)
        } catch {
            throw ContractViolation(promise.text, "\(messages.count) good messages were not taken: \(error)")
        }
        guard case .each(let outcomes) = result else { return }
        try promise.require("outcomes of \(messages.count) messages", outcomes.count, is: messages.count)
        if let error = outcomes.compactMap({ $0 }).first { throw ContractViolation(promise.text, "a good message was refused: \(error)") }
    }

    /// Of messages that came more than once the first counts.
    private func requireOrder(of records: [Record], in found: [String], _ promise: Promise) throws {
        let lines =
            switch order {
            case .partition: [records]
            case .key: Dictionary(grouping: records, by: \.event.key).values.map { $0 }
            }
        for line in lines {
            let ids = line.map(\.event.id.string)
            let wanted = Set(ids)
            var seen = Set<String>()
            try promise.require("ids in the order of their first arrival", found.filter { wanted.contains($0) && seen.insert($0).inserted }, is: ids)
        }
    }

    private func arrival(of ids: [String], _ received: Received, _ promise: Promise) async throws {
        var found: Set<String> = []
        try await patience.until("\(ids.count) messages (\(found.count) have come)", promise) {
            found = Set(try await received())
            return found.isSuperset(of: ids)
        }
    }

    private func withChannel(_ body: (any DeliveryChannel, Received) async throws -> Void) async throws {
        let channel = try await make()
        do {
            try await channel.open(replay: nil)
            try await body(channel, try await attach(channel))
        } catch {
            await channel.close()
            throw error
        }
        await channel.close()
    }
}
