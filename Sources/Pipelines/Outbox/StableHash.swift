/// A 128-bit hash that is the same in every process: two FNV-1a passes with different offsets. It tells bodies apart that
/// differ by accident; whoever forges one collides only with a request of his own key.
enum StableHash {
    private static let prime: UInt64 = 0x0000_0100_0000_01B3

    static func text(of bytes: UnsafeRawBufferPointer) -> String {
        var first: UInt64 = 0xCBF2_9CE4_8422_2325
        var second: UInt64 = 0x8422_2325_CBF2_9CE4
        for byte in bytes {
            first = (first ^ UInt64(byte)) &* prime
            second = (second &* prime) ^ UInt64(byte)
        }
        return "\(bytes.count)-\(String(first, radix: 16))-\(String(second, radix: 16))"
    }
}
