import Synchronization

/// What a server has done since it started, summed over its loops when read.
package struct HTTPServerCounters: Sendable, Equatable {
    /// Connections open now, streams included.
    package var openConnections = 0
    /// Streams open now.
    package var openStreams = 0
    /// Connections accepted.
    package var accepted = 0
    /// Requests given to the handler.
    package var requests = 0
    /// Requests refused by the parser or a timeout.
    package var refused = 0
    /// Connections refused at the connection limit.
    package var rejected = 0
    /// Times that accept(2) failed for want of descriptors or memory; accepting then pauses for 100 ms.
    package var acceptFailures = 0
    /// Bytes received.
    package var bytesIn = 0
    /// Bytes sent.
    package var bytesOut = 0
}

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
