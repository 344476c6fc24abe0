import Martlet
import Testing

@testable import Pipelines

struct KafkaPartitionerTests {
    /// The cases of Kafka's own `UtilsTest.testMurmur2`.
    @Test(arguments: [
        ("21", -973_932_308), ("foobar", -790_332_482), ("a-little-bit-long-string", -985_981_536),
        ("a-little-bit-longer-string", -1_486_304_829),
        ("lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58_897_971), ("abc", 479_470_107),
    ] as [(String, Int32)])
    func hashesAsKafkaDoes(key: String, hash: Int32) {
        let found = Bytes(key).withUnsafeBytes { KafkaPartitioner.murmur2($0) }
        #expect(Int32(bitPattern: found) == hash)
        // `toPositive(murmur2(key)) % partitions`.
        for count in [1, 4, 7, 100] {
            #expect(KafkaPartitioner.partition(of: Bytes(key), count: count) == PartitionID(Int(hash & 0x7FFF_FFFF) % count))
        }
    }

    @Test func anEmptyKeyHasAPartition() {
        #expect((0..<4).contains(KafkaPartitioner.partition(of: .empty, count: 4)))
    }
}
