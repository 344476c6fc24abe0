import HTTPServer
import Martlet

/// The server's stream as the SDK's channels see it.
final class ServerStream: Martlet.HTTPStream {
    private let stream: WireStream
    private let cache: ChunkCache

    init(_ stream: WireStream, cache: ChunkCache) {
        self.stream = stream
        self.cache = cache
    }

    var queuedBytes: Int { stream.queueBytesTaken }

    func write(_ chunk: HTTPChunk) -> Bool {
        switch stream.write(cache.chunk(for: chunk)) {
        // A closed stream takes nothing more; its `onClose` says so to the channel.
        case .accepted, .closed: true
        case .overflow: false
        }
    }

    func close() {
        stream.close()
    }

    func abort() {
        stream.abort()
    }
}
