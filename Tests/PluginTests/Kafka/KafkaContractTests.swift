import Martlet
import MartletTesting
import Synchronization
import TestSupport
import Testing

/// The log's contract, over brokers that speak Kafka's protocol.
@Suite struct KafkaContractTests {
    @Test func theLogKeepsTheContractOnTheMockCluster() async throws {
        let clusters = Mutex<[Int: MockKafka]>([:])
        // Marks are not promised; the others the mock cluster cannot do.
        try await LogContract.verify(leavingOut: [.producerMarks, .timeLookup, .addedPartitions, .groupList]) { store in
            let made = try MockKafka()
            let cluster = clusters.withLock { clusters in
                clusters[store] = clusters[store] ?? made
                return clusters[store] ?? made
            }
            return try KafkaOnMock(cluster)
        }
    }
}
