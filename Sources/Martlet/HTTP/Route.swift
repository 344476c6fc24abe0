/// A method and a path with its handler.
public struct Route: Sendable {
    /// Upper case.
    public let method: String
    /// Literal segments and `{name}` segments, such as `/users/{user}/notifications`.
    public let path: String
    /// Whether a caller may also bring a ticket, `?ticket=`, which `POST <path>/ticket` gives: for browsers, whose
    /// `EventSource` can send no header. Means something only where the config has `auth`.
    public let takesTickets: Bool
    /// Called on the connection's event loop: it must not block. It answers through the exchange, then or later.
    public let handle: @Sendable (any HTTPExchange) -> Void

    public init(
        _ method: String, _ path: String, takesTickets: Bool = false, handle: @escaping @Sendable (any HTTPExchange) -> Void
    ) {
        self.method = method
        self.path = path
        self.takesTickets = takesTickets
        self.handle = handle
    }
}

/// One request and its answer.
public protocol HTTPExchange: AnyObject, Sendable {
    var method: String { get }
    /// The raw request target.
    var target: String { get }
    /// The decoded value of a `{name}` segment.
    func pathParameter(_ name: String) -> String?
    /// The decoded value of the first query parameter of that name.
    func queryParameter(_ name: String) -> String?
    /// Case-insensitive.
    func header(_ name: String) -> String?
    /// All header fields in the order received, names as they were sent.
    var headers: [(name: String, value: String)] { get }
    var body: Bytes { get }
    /// The event loop that the connection lives on.
    var loopIndex: Int { get }
    /// The client's address, without a port: that of the connection's other end or, if that is one of
    /// `host.trusted_proxies`, the one that it names. Empty once the connection is gone. To be asked for on its loop.
    var remoteAddress: String { get }
    /// Who sent the request; nil where the config asks for nobody.
    var caller: Caller? { get }

    /// Answers; exactly once, from any thread.
    func respond(_ response: HTTPResponse)

    /// Answers with a stream that stays open; on the connection's loop, instead of `respond`.
    /// - Parameters:
    ///   - queueLimit: bytes that may wait for a slow client.
    ///   - onClose: called once on the loop when the stream has ended, whoever ended it; never from inside a call to it.
    func startStream(
        status: Int, headers: [(name: String, value: String)], queueLimit: Int, onClose: @escaping @Sendable () -> Void
    ) -> any HTTPStream
}

extension HTTPExchange {
    /// Nobody was asked for.
    public var caller: Caller? { nil }
}

/// An answer.
public struct HTTPResponse: Sendable {
    public var status: Int
    /// Beside `Content-Length`, `Date` and `Connection`, which the server writes.
    public var headers: [(name: String, value: String)]
    public var body: Bytes

    public init(status: Int, headers: [(name: String, value: String)] = [], body: Bytes = .empty) {
        self.status = status
        self.headers = headers
        self.body = body
    }
}

/// A response that stays open. All calls are made on its event loop. What is written within one turn of the loop leaves
/// in one system call at the turn's end.
public protocol HTTPStream: AnyObject, Sendable {
    /// Writes a chunk made once and shared by many streams. False if the client is too slow: the bytes would exceed
    /// the stream's queue limit, nothing was written, and the caller closes it.
    func write(_ chunk: HTTPChunk) -> Bool
    /// Bytes that the socket has not taken yet.
    var queuedBytes: Int { get }
    /// Ends the stream after what is queued.
    func close()
    /// Ends the stream at once; what is queued is lost.
    func abort()
}

/// Bytes framed once as an HTTP/1.1 chunk, to be written to any number of streams.
public final class HTTPChunk: Sendable {
    /// `size CRLF content CRLF`.
    public let framed: Bytes
    /// The part of ``framed`` that is content.
    public let content: Bytes

    public convenience init(_ content: Bytes) {
        self.init(framing: content.count) { target in
            content.withUnsafeBytes { target.copyMemory(from: $0) }
        }
    }

    /// Copies the content from an array.
    public convenience init(copying content: [UInt8]) {
        self.init(framing: content.count) { target in target.copyBytes(from: content) }
    }

    /// - Parameter fill: copies `count` bytes of content.
    private init(framing count: Int, fill: (UnsafeMutableRawBufferPointer) -> Void) {
        let head = String(count, radix: 16) + "\r\n"
        let headCount = head.utf8.count
        let framed = Bytes(capacity: headCount + count + 2) { target in
            target.copyBytes(from: head.utf8)
            if count > 0 { fill(UnsafeMutableRawBufferPointer(rebasing: target[headCount..<headCount + count])) }
            target[headCount + count] = UInt8(ascii: "\r")
            target[headCount + count + 1] = UInt8(ascii: "\n")
            return headCount + count + 2
        }
        self.framed = framed
        content = framed.slice(headCount..<headCount + count)
    }
}

/// The host's event loops, for modules that keep connections.
public protocol EventLoops: Sendable {
    var count: Int { get }
    /// Runs `work` on a loop, in the order of the calls from one thread. Many calls share one wake-up.
    func execute(on index: Int, _ work: @escaping @Sendable () -> Void)
    /// Runs `work` on a loop after a delay, to within about 100 ms.
    func schedule(on index: Int, after delay: Duration, _ work: @escaping @Sendable () -> Void)
}
