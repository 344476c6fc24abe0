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
