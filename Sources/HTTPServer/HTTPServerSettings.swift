/// The limits and timeouts of an HTTP server. Every one has a default that suits a public listener.
package struct HTTPServerSettings: Sendable {
    /// What one request may take.
    package var request = RequestLimits()
    /// Open connections, all loops together. At the limit a new one gets 503 with Retry-After and is closed.
    package var connectionCountMax = 20_000
    /// Requests of one connection that may await their answer; beyond it the connection is not read.
    package var pipelineDepthMax = 16
    /// From the first byte of a request to the end of its head (then: 408).
    package var headerTimeout = Duration.seconds(10)
    /// Time in which a body must bring `bodyProgressBytesMin` bytes or end (then: 408).
    package var bodyTimeout = Duration.seconds(30)
    /// Bytes of a body that must come within each `bodyTimeout`.
    package var bodyProgressBytesMin = 16 * 1024
    /// Time a connection may wait for its next request, or its first.
    package var idleTimeout = Duration.seconds(75)
    /// Time in which a client must take at least one of the bytes that wait for it.
    package var writeStallTimeout = Duration.seconds(30)
    /// Time to wait for the client to close after the last answer, so that it is not lost.
    package var lingerTimeout = Duration.seconds(2)
    /// Bytes of answers that may wait on one connection before its next request is read.
    package var outputBytesMax = 256 * 1024
    /// Bytes that a client may send on a stream, where none are expected.
    package var streamInputBytesMax = 64 * 1024
    /// Connections that the kernel keeps until they are accepted.
    package var backlog: Int32 = 4096
    /// Seconds in the Retry-After of a refused connection.
    package var retryAfterSeconds = 5

    /// The defaults.
    package init() {}
}
