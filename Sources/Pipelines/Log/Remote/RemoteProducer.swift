import EmbeddedLog

/// Who a host is to the log of another one, in one topic: an idempotent producer as Kafka knows it, with an id of its own for
/// each start of the process. A request whose answer was lost is sent again with the same sequences, and kept once.
struct RemoteProducer: Sendable {
    /// Sixty-three random bits: nobody hands out numbers, and two hosts do not meet.
    private var id = Int64.random(in: 1...Int64.max)
    private var epoch: Int16 = 0
    /// For each partition, the sequence of the next record.
    private var next: [Int32: Int32] = [:]

    func identity(in partition: Int32) -> BatchProducer {
        BatchProducer(id: id, epoch: epoch, baseSequence: next[partition] ?? 0)
    }

    /// Goes on after records that the log has acknowledged.
    mutating func advance(_ partition: Int32, by count: Int) {
        next[partition] = Int32((Int64(next[partition] ?? 0) + Int64(count)) & 0x7FFF_FFFF)
    }

    /// Begins anew, since it is not known what the log has: what is still on its way there comes too late.
    mutating func beginEpoch() {
        if epoch == .max { id = Int64.random(in: 1...Int64.max) }
        epoch = epoch == .max ? 0 : epoch + 1
        next = [:]
    }
}
