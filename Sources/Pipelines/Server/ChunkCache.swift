import HTTPServer
import Martlet

/// The last chunk written on a loop, as the server takes it, so that a message to thousands of streams is wrapped once.
package final class ChunkCache: @unchecked Sendable {
    // Unchecked: each cache belongs to one event loop and is touched on its thread only.
    private var last: (chunk: HTTPChunk, wrapped: StreamChunk)?

    package init() {}

    func chunk(for chunk: HTTPChunk) -> StreamChunk {
        if let last, last.chunk === chunk { return last.wrapped }
        let sizeLineCount = chunk.framed.count - chunk.content.count - 2
        let wrapped = chunk.framed.withUnsafeBytes { StreamChunk(sharing: $0, sizeLineCount: sizeLineCount, owner: chunk) }
        last = (chunk, wrapped)
        return wrapped
    }
}
