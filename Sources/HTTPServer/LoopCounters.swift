import Synchronization

/// One loop's share of the counters: written by its thread only, read by any.
final class LoopCounters: Sendable {
    let openConnections = Atomic(0)
    let openStreams = Atomic(0)
    let accepted = Atomic(0)
    let requests = Atomic(0)
    let refused = Atomic(0)
    let rejected = Atomic(0)
    let acceptFailures = Atomic(0)
    let bytesIn = Atomic(0)
    let bytesOut = Atomic(0)

    func addTo(_ sum: inout HTTPServerCounters) {
        sum.openConnections += openConnections.load(ordering: .relaxed)
        sum.openStreams += openStreams.load(ordering: .relaxed)
        sum.accepted += accepted.load(ordering: .relaxed)
        sum.requests += requests.load(ordering: .relaxed)
        sum.refused += refused.load(ordering: .relaxed)
        sum.rejected += rejected.load(ordering: .relaxed)
        sum.acceptFailures += acceptFailures.load(ordering: .relaxed)
        sum.bytesIn += bytesIn.load(ordering: .relaxed)
        sum.bytesOut += bytesOut.load(ordering: .relaxed)
    }
}

extension Atomic where Value == Int {
    /// Adds without a locked instruction: for counters with one writing thread.
    @inline(__always)
    borrowing func addFromOwner(_ amount: Int) {
        store(load(ordering: .relaxed) &+ amount, ordering: .relaxed)
    }
}
