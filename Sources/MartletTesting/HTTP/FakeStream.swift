public import Martlet
import Synchronization

/// What a module writes to a stream. The client reads everything at once unless a test stalls it.
public final class FakeStream: HTTPStream {
    private struct State {
        var received: [UInt8] = []
        var queued: [HTTPChunk] = []
        var queuedBytes = 0
        var isStalled = false
        var isClosed = false
        var hasTold = false
    }

    public let status: Int
    public let headers: [(name: String, value: String)]
    private let queueLimit: Int
    private let onClose: @Sendable () -> Void
    private let state = Mutex(State())

    init(
        status: Int, headers: [(name: String, value: String)], queueLimit: Int, onClose: @escaping @Sendable () -> Void
    ) {
        self.status = status
        self.headers = headers
        self.queueLimit = queueLimit
        self.onClose = onClose
    }

    // MARK: The module's side

    public func write(_ chunk: HTTPChunk) -> Bool {
        state.withLock { state in
            if state.isClosed { return true }
            if !state.isStalled {
                chunk.content.withUnsafeBytes { state.received += $0 }
                return true
            }
            guard state.queuedBytes + chunk.framed.count <= queueLimit else { return false }
            state.queued.append(chunk)
            state.queuedBytes += chunk.framed.count
            return true
        }
    }

    public var queuedBytes: Int { state.withLock { $0.queuedBytes } }

    public func close() {
        state.withLock { $0.isClosed = true }
    }

    public func abort() {
        state.withLock { state in
            state.isClosed = true
            state.queued = []
            state.queuedBytes = 0
        }
    }

    // MARK: The client's side

    /// All content that has reached the client.
    public var text: String { state.withLock { String(decoding: $0.received, as: UTF8.self) } }

    /// Whether the module ended the stream.
    public var isClosed: Bool { state.withLock { $0.isClosed } }

    /// The client stops reading: what is written waits in the queue.
    public func stall() {
        state.withLock { $0.isStalled = true }
    }

    /// The client takes about this many bytes of the queue, whole chunks, at least one; all of it without a number.
    public func drain(_ bytes: Int = .max) {
        state.withLock { state in
            var taken = 0
            while taken < bytes, let chunk = state.queued.first {
                state.queued.removeFirst()
                chunk.content.withUnsafeBytes { state.received += $0 }
                taken += chunk.framed.count
            }
            state.queuedBytes -= taken
            if bytes == .max { state.isStalled = false }
        }
    }

    /// The client leaves. To be called on the stream's loop, as `onClose` is.
    public func leave() {
        let mustTell = state.withLock { state in
            defer { state.hasTold = true }
            state.isClosed = true
            return !state.hasTold
        }
        if mustTell { onClose() }
    }
}
