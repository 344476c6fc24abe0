package import Martlet

/// Kafka's default partitioner for keys: murmur2 of the key, made positive, modulo the number of partitions
/// (`org.apache.kafka.common.utils.Utils.murmur2`).
package enum KafkaPartitioner {
    package static func partition(of key: Bytes, count: Int) -> PartitionID {
        let hash = key.withUnsafeBytes { murmur2($0) }
        return PartitionID(truncatingIfNeeded: Int(hash & 0x7FFF_FFFF) % count)
    }

    static func murmur2(_ data: UnsafeRawBufferPointer) -> UInt32 {
        let multiplier: UInt32 = 0x5BD1_E995
        var hash: UInt32 = 0x9747_B28C ^ UInt32(truncatingIfNeeded: data.count)
        let wordCount = data.count / 4
        for index in 0..<wordCount {
            var word = UInt32(littleEndian: data.loadUnaligned(fromByteOffset: index * 4, as: UInt32.self))
            word = word &* multiplier
            word ^= word >> 24
            word = word &* multiplier
            hash = hash &* multiplier ^ word
        }
        let rest = data[(wordCount * 4)...]
        if !rest.isEmpty {
            for (index, byte) in rest.enumerated() { hash ^= UInt32(byte) << UInt32(index * 8) }
            hash = hash &* multiplier
        }
        hash ^= hash >> 13
        hash = hash &* multiplier
        return hash ^ hash >> 15
    }
}
