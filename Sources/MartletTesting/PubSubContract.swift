public import Martlet

/// What every ``PubSub`` promises, as a suite that an author runs on a new bus with one call:
///
/// ```swift
/// try await PubSubContract.verify(
///     breakConnections: { server.dropClients() },
///     make: { try TestHost().make(RedisPubSub.self, #"{"url": "\#(server.url)"}"#) })
/// ```
public struct PubSubContract: Sendable {
    /// Makes a bus that is not open yet: each call is another host on the same bus.
    public typealias Factory = @Sendable () async throws -> any PubSub

    let isShared: Bool
    let make: Factory
    let makeUnreachable: Factory?
    let breakConnections: (@Sendable () async throws -> Void)?
    let patience: Patience
    let records = ContractRecords { #"{"number": \#($0)}"# }

    /// Verifies all promises.
    ///
    /// - Parameters:
    ///   - isShared: whether what one host publishes reaches the others; false for a bus inside one process.
    ///   - makeUnreachable: makes a bus whose server is away; nil if that cannot be.
    ///   - breakConnections: cuts the bus's connections, which it must mend by itself; nil if it has none.
    ///   - patience: how long to wait for a message before it counts as lost.
    /// - Throws: ``ContractViolation`` for the first promise that is broken.
    public static func verify(
        isShared: Bool = true, makeUnreachable: Factory? = nil, breakConnections: (@Sendable () async throws -> Void)? = nil,
        patience: Duration = .seconds(10), make: @escaping Factory
    ) async throws {
        let contract = PubSubContract(
            isShared: isShared, make: make, makeUnreachable: makeUnreachable, breakConnections: breakConnections,
            patience: Patience(limit: patience))
        try await contract.verifyLifeCycle()
        try await contract.verifyMessages()
        try await contract.verifyOrder()
        try await contract.verifyChannels()
        try await contract.verifyCancel()
        try await contract.verifyPublishers()
        try await contract.verifyHosts()
        try await contract.verifyLostConnections()
        try await contract.verifyCancelledPublish()
    }

    private func verifyLifeCycle() async throws {
        let promise = Promise("a bus can be closed at any time, more than once")
        let unopened = try await make()
        try await patience.run("close before open", promise) { await unopened.close() }
        let bus = try await make()
        try await patience.run("open, then close twice", promise) {
            try await bus.open()
            await bus.close()
            await bus.close()
        }
        guard let makeUnreachable else { return }
        let away = try await makeUnreachable()
        let error = try await patience.run("open while the server is away", promise) {
            try await promise.requireError(from: "open while the server is away") { try await away.open() }
        }
        try promise.require(error.kind != .permanent, "the error of a server that is away is permanent: \(error)")
        try await patience.run("close, twice, after a failed open", promise) {
            await away.close()
            await away.close()
        }
    }

    private func verifyMessages() async throws {
        let promise = Promise("a message arrives as it was published: record, previous offset, whether it is the last")
        var whole = records.record(5, partition: 2)
        whole.index = 3
        whole.event.headers = [Header("a", "1"), Header("a", "2"), Header("bytes", Bytes([0, 255, 10, 13]))]
        var bare = records.record(6)
        bare.event.key = nil
        bare.event.headers = []
        bare.event.payload = Bytes("not JSON: \u{0}\r\n")
        var large = records.record(7)
        large.event.payload = Bytes("\"" + String(repeating: "x", count: 200_000) + "\"")
        let sent = [
            Message(record: whole, previousOffset: 4, isLast: false), Message(record: bare, previousOffset: -1),
            Message(record: large, previousOffset: nil),
        ]
        try await withBus { bus in
            let inbox = try await Inbox(bus, "whole")
            try await bus.publish([], to: "whole")
            try await bus.publish(sent, to: "whole")
            try await patience.until("3 messages (\(inbox.messages.count) have come)", promise) { inbox.messages.count >= 3 }
            try promise.require("messages", inbox.messages.map(\.fingerprint), is: sent.map(\.fingerprint))
            inbox.cancel()
        }
    }

    private func verifyOrder() async throws {
        let promise = Promise("messages arrive in the order of the bus, once, one call of `receive` at a time")
        try await withBus { bus in
            let inbox = try await Inbox(bus, "order")
            for start in stride(from: 0, to: 1_000, by: 50) {
                try await bus.publish(records.messages(start..<start + 50), to: "order")
            }
            try await arrival(of: 1_000, in: inbox, promise)
            try promise.require("offsets", inbox.offsets, is: (0..<1_000).map(Offset.init))
            try promise.require("calls of `receive` that overlapped another", inbox.overlaps, is: 0)
            inbox.cancel()
        }
    }

    private func verifyChannels() async throws {
        let promise = Promise("every subscriber of a channel gets all of its messages, and none of other channels")
        try await withBus { bus in
            let inboxes = [try await Inbox(bus, "one"), try await Inbox(bus, "one"), try await Inbox(bus, "two")]
            for number in 0..<20 {
                try await bus.publish(records.messages(number..<number + 1), to: number % 2 == 0 ? "one" : "two")
            }
            for inbox in inboxes { try await arrival(of: 10, in: inbox, promise) }
            let expected = [0, 0, 1].map { first in (0..<10).map { Offset($0 * 2 + first) } }
            try promise.require("offsets", inboxes.map(\.offsets), is: expected)
            for inbox in inboxes { inbox.cancel() }
        }
    }

    private func verifyCancel() async throws {
        let promise = Promise("a subscription that was cancelled receives nothing more")
        try await withBus { bus in
            let cancelled = try await Inbox(bus, "cancel")
            let other = try await Inbox(bus, "cancel")
            try await bus.publish(records.messages(0..<1), to: "cancel")
            try await arrival(of: 1, in: cancelled, promise)
            cancelled.cancel()
            cancelled.cancel()
            try await bus.publish(records.messages(1..<5), to: "cancel")
            try await arrival(of: 5, in: other, promise)
            try promise.require("messages after the cancellation", cancelled.messages.count - 1, is: 0)
            other.cancel()
        }
    }

    private func verifyPublishers() async throws {
        let promise = Promise("messages of several publishers at the same time all arrive, those of each in its order")
        try await withBus { bus in
            let inbox = try await Inbox(bus, "many")
            try await withThrowingTaskGroup(of: Void.self) { group in
                for publisher in 0..<8 {
                    group.addTask {
                        for number in 0..<50 {
                            try await bus.publish(records.messages(number..<number + 1, partition: PartitionID(publisher)), to: "many")
                        }
                    }
                }
                try await group.waitForAll()
            }
            try await arrival(of: 400, in: inbox, promise)
            for publisher in 0..<PartitionID(8) {
                let offsets = inbox.messages.filter { $0.record.partition == publisher }.map(\.record.offset)
                try promise.require("offsets of publisher \(publisher)", offsets, is: (0..<50).map(Offset.init))
            }
            try promise.require("calls of `receive` that overlapped another", inbox.overlaps, is: 0)
            inbox.cancel()
        }
    }

    func arrival(of count: Int, in inbox: Inbox, _ promise: Promise) async throws {
        try await patience.until("\(count) messages (\(inbox.messages.count) have come)", promise) { inbox.messages.count >= count }
    }

    func withBus(_ body: (any PubSub) async throws -> Void) async throws {
        let bus = try await make()
        do {
            try await bus.open()
            try await body(bus)
        } catch {
            await bus.close()
            throw error
        }
        await bus.close()
    }
}
