internal import CCRC32C

/// CRC-32C, as Kafka computes it.
enum CRC32C {
    private static let hardware = martlet_crc32c_has_hardware() != 0

    static func of(_ bytes: UnsafeRawBufferPointer) -> UInt32 {
        guard let base = bytes.baseAddress?.assumingMemoryBound(to: UInt8.self) else { return 0 }
        let start = UInt32.max
        return ~(hardware ? martlet_crc32c_hardware(start, base, bytes.count) : martlet_crc32c_table(start, base, bytes.count))
    }

    /// The same without the processor's instruction, for tests and processors that lack it.
    static func softwareOf(_ bytes: UnsafeRawBufferPointer) -> UInt32 {
        guard let base = bytes.baseAddress?.assumingMemoryBound(to: UInt8.self) else { return 0 }
        return ~martlet_crc32c_table(.max, base, bytes.count)
    }
}
