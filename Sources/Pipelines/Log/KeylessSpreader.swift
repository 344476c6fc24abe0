import Synchronization

/// Picks partitions for events without a key: batch by batch in turn, so that a batch stays one.
final class KeylessSpreader: Sendable {
    private let next = Atomic<UInt32>(0)

    func partition(count: Int) -> Int32 {
        Int32(Int(next.wrappingAdd(1, ordering: .relaxed).oldValue) % count)
    }
}
