/// What one request may take; beyond it the request is refused and the connection closed.
package struct RequestLimits: Sendable {
    /// Bytes of the request line with its CRLF (beyond: 414).
    package var requestLineBytesMax = 8 * 1024
    /// Header fields (beyond: 431).
    package var headerCountMax = 100
    /// Bytes of all header field lines, and again of all trailer lines (beyond: 431).
    package var headerBytesMax = 16 * 1024
    /// Bytes of a body after chunked decoding (beyond: 413).
    package var bodyBytesMax = 1024 * 1024
    /// Query parameters (beyond: 400).
    package var queryParameterCountMax = 64
    /// Bytes of one chunk-size line with its extensions (beyond: 400).
    package var chunkLineBytesMax = 256
    /// Bytes of all chunk extensions of a body (beyond: 400).
    package var chunkExtensionBytesMax = 16 * 1024

    /// The defaults.
    package init() {}
}
