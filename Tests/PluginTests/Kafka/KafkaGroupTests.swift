import KafkaPlugin
import Martlet
import MartletTesting
import Pipelines
import Synchronization
import TestSupport
import Testing

/// Groups that several hosts share, over the mock cluster.
@Suite struct KafkaGroupTests {
    /// Notes what a host is told.
    final class Host: GroupMember {
        private struct State {
            var partitions: [PartitionID] = []
            var calls: [String] = []
        }

        private let state = Mutex(State())
        private let onRevoked: @Sendable ([PartitionID]) async -> Void

        init(onRevoked: @escaping @Sendable ([PartitionID]) async -> Void = { _ in }) {
            self.onRevoked = onRevoked
        }

        var partitions: [PartitionID] { state.withLock { $0.partitions } }
        var calls: [String] { state.withLock { $0.calls } }

        func assigned(_ partitions: [TopicName: [PartitionID]]) async {
            state.withLock { state in
                state.partitions = partitions["t"] ?? []
                state.calls.append("assigned \(state.partitions.count)")
            }
        }

        func revoked() async {
            await onRevoked(partitions)
            state.withLock { state in
                state.partitions = []
                state.calls.append("revoked")
            }
        }
    }

    /// The mock cluster waits 3 s for members at first, and for a session less a second when another comes.
    private static let fields = #", "session_timeout_ms": 4000"#

    private func log(_ brokers: MockKafka) async throws -> KafkaOnMock {
        let log = try KafkaOnMock(brokers, Self.fields)
        try await log.open()
        _ = try await log.ensureTopic("t", KafkaLogTests.settings(4))
        return log
    }

    @Test func hostsDivideThePartitions() async throws {
        let brokers = try MockKafka()
        let (first, second) = (try await log(brokers), try await log(brokers))
        let (one, two) = (Host(), Host())
        let part = try first.log.join("g", topics: ["t"], as: one)
        try await eventually("the first host has all") { one.partitions.count == 4 }
        try await first.commit(group: "g", topic: "t", partition: 3, offset: 7)
        #expect(try await first.committedOffset(group: "g", topic: "t", partition: 3) == 7)

        let other = try second.log.join("g", topics: ["t"], as: two)
        try await eventually("each has its part") { one.partitions.count == 2 && two.partitions.count == 2 }
        #expect(Set(one.partitions).union(two.partitions) == [0, 1, 2, 3])
        #expect(Array(one.calls.suffix(2)) == ["revoked", "assigned 2"])
        for (log, own, foreign) in [(first, one, two), (second, two, one)] {
            try await log.commit(group: "g", topic: "t", partition: own.partitions[0], offset: 9)
            let error = await #expect(throws: ModuleError.self) {
                try await log.commit(group: "g", topic: "t", partition: foreign.partitions[0], offset: 99)
            }
            #expect(error?.code == "log.not_owner" && error?.kind == .transient)
        }
        for partition in [one.partitions[0], two.partitions[0]] {
            #expect(try await second.committedOffset(group: "g", topic: "t", partition: partition) == 9)
        }

        await part.leave()
        #expect(one.partitions.isEmpty && one.calls.last == "revoked")
        try await eventually("the second host has all") { two.partitions.count == 4 }
        let error = await #expect(throws: ModuleError.self) { try await first.commit(group: "g", topic: "t", partition: 0, offset: 99) }
        #expect(error?.code == "log.not_owner")
        await other.leave()
        #expect(two.partitions.isEmpty)
        await first.close()
        await second.close()
    }

    /// Its commits would be refused, so it is told at once, and gets a part again when the brokers are back.
    @Test func aHostWhoseSessionIsLostGivesItsPartitionsUp() async throws {
        let brokers = try MockKafka()
        let log = try await log(brokers)
        let host = Host()
        let membership = try log.log.join("g", topics: ["t"], as: host)
        try await eventually("the host has all") { host.partitions.count == 4 }
        brokers.stop()
        try await eventually("the session is lost") { host.calls.last == "revoked" }
        try await eventually("a commit is refused") {
            do {
                try await log.commit(group: "g", topic: "t", partition: 0, offset: 1)
            } catch let error as ModuleError {
                return error.code == "log.not_owner"
            }
            return false
        }
        brokers.start()
        try await eventually("the host has all again") { host.partitions.count == 4 }
        try await log.commit(group: "g", topic: "t", partition: 0, offset: 1)
        await membership.leave()
        #expect(host.calls == ["assigned 4", "revoked", "assigned 4", "revoked"])
        await log.close()
    }

    @Test func aCloseLeavesTheGroups() async throws {
        let log = try await log(try MockKafka())
        let host = Host()
        _ = try log.log.join("g", topics: ["t"], as: host)
        try await eventually("the host has all") { host.partitions.count == 4 }
        let error = #expect(throws: ModuleError.self) { try log.log.join("g", topics: ["t"], as: host) }
        #expect(error?.code == "log.already_joined")
        await log.close()
        #expect(host.calls == ["assigned 4", "revoked"])
        let refused = await #expect(throws: ModuleError.self) { try await log.commit(group: "g", topic: "t", partition: 0, offset: 1) }
        #expect(refused?.code == "log.not_open")
    }

    @Test func aGroupIsLeftBeforeItWasJoined() async throws {
        let brokers = try MockKafka()
        let log = try await log(brokers)
        brokers.stop()
        let host = Host()
        let membership = try log.log.join("g", topics: ["t"], as: host)
        await membership.leave()
        #expect(host.calls.isEmpty)
        await log.close()
    }
}
