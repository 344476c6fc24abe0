import Martlet
import Pipelines
import Synchronization

/// What hosts of one test share: a log in memory, who may read which partition, and whether it is away.
final class MemoryCluster: Sendable {
    /// A partition of a group.
    struct Share: Hashable {
        let group: GroupName
        let topic: TopicName
        let partition: PartitionID
    }

    private struct State {
        var isAway = false
        /// Why a topic is not made.
        var refusals: [TopicName: ModuleError] = [:]
        var owners: [Share: ObjectIdentifier] = [:]
        /// What was committed, in order.
        var commits: [(share: Share, offset: Offset)] = []
        var heldCommits = 0
        var holdsCommits = false
        var assignsAll = false
        var holdsAppends = false
    }

    private static let named = Mutex<[String: MemoryCluster]>([:])

    let log = MemoryLog([:])
    private let state = Mutex(State())

    /// The cluster that configs call so.
    static func named(_ name: String) -> MemoryCluster {
        named.withLock { known in
            let cluster = known[name] ?? MemoryCluster()
            known[name] = cluster
            return cluster
        }
    }

    // MARK: What tests say

    func goAway() { state.withLock { $0.isAway = true } }
    func comeBack() { state.withLock { $0.isAway = false } }
    func refuse(_ topic: TopicName, _ error: ModuleError?) { state.withLock { $0.refusals[topic] = error } }
    /// Whoever joins a group gets all of its partitions.
    func assignAll() { state.withLock { $0.assignsAll = true } }
    /// Appends are not answered until the log closes.
    func holdAppends() { state.withLock { $0.holdsAppends = true } }
    func holdCommits() { state.withLock { $0.holdsCommits = true } }
    func letCommitsGo() { state.withLock { $0.holdsCommits = false } }

    // MARK: What tests look at

    var holdsAllAppends: Bool { state.withLock { $0.holdsAppends } }
    var heldCommits: Int { state.withLock { $0.heldCommits } }
    var assignsAllPartitions: Bool { state.withLock { $0.assignsAll } }

    /// The offsets committed for a partition, in order.
    func commits(_ group: GroupName, _ topic: TopicName, _ partition: PartitionID) -> [Offset] {
        let share = Share(group: group, topic: topic, partition: partition)
        return state.withLock { state in state.commits.filter { $0.share == share }.map(\.offset) }
    }

    // MARK: What logs ask

    func check() throws(ModuleError) {
        if state.withLock({ $0.isAway }) { throw .transient("log.away", "the cluster does not answer") }
    }

    func refusal(of topic: TopicName) -> ModuleError? { state.withLock { $0.refusals[topic] } }

    /// Makes a log the only one that may commit these partitions of a group; nil takes them away from it.
    func give(_ group: GroupName, _ partitions: [TopicName: [PartitionID]], to log: MemorySharedLog, from previous: [TopicName: [PartitionID]]) {
        let id = ObjectIdentifier(log)
        state.withLock { state in
            for (topic, numbers) in previous {
                for number in numbers where state.owners[Share(group: group, topic: topic, partition: number)] == id {
                    state.owners[Share(group: group, topic: topic, partition: number)] = nil
                }
            }
            for (topic, numbers) in partitions {
                for number in numbers { state.owners[Share(group: group, topic: topic, partition: number)] = id }
            }
        }
    }

    func commit(_ share: Share, _ offset: Offset, by owner: MemorySharedLog?) async throws {
        var isHeld = false
        while state.withLock({ state in
            if state.holdsCommits != isHeld { state.heldCommits += isHeld ? -1 : 1 }
            isHeld = state.holdsCommits
            return isHeld
        }) { try? await Task.sleep(for: .milliseconds(1)) }
        try check()
        if let owner, state.withLock({ $0.owners[share] }) != ObjectIdentifier(owner) {
            throw ModuleError.transient("log.not_owner", "\(share.topic)/\(share.partition) is another host's")
        }
        try await log.commit(group: share.group, topic: share.topic, partition: share.partition, offset: offset)
        state.withLock { $0.commits.append((share, offset)) }
    }
}
