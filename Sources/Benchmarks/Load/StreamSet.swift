import CLinux

/// Event streams of one server, read for the numbers behind a marker, such as `"post_id":`.
///
/// Chunk framing is not looked at: an event lies within one chunk, and a marker with its digits is never cut by it.
final class StreamSet {
    private(set) var connections: [StreamConnection] = []
    private(set) var openCount = 0
    private let marker: [UInt8]
    private let carries: UnsafeMutablePointer<UInt8>
    private let capacity: Int

    init(capacity: Int, marker: String) {
        self.capacity = capacity
        self.marker = Array(marker.utf8)
        carries = .allocate(capacity: max(1, capacity) * StreamConnection.carryMax)
        connections.reserveCapacity(capacity)
    }

    deinit {
        for connection in connections { close(connection.socket) }
        carries.deallocate()
    }

    /// Opens one more stream.
    func open(port: UInt16, path: String) throws(BenchmarkError) {
        precondition(connections.count < capacity, "more streams than announced")
        let request = "GET \(path) HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: text/event-stream\r\n\r\n"
        connections.append(try StreamConnection(port: port, request: Array(request.utf8)))
    }

    /// Reads what is there on one stream. `buffer` has room for what is carried over before its content.
    /// - Parameter found: called with each number.
    /// - Returns: whether there may be more.
    @inline(__always)
    func read(_ index: Int, into buffer: UnsafeMutableRawBufferPointer, found: (Int) -> Void) throws(BenchmarkError) -> Bool {
        guard let base = buffer.baseAddress else { return false }
        let room = StreamConnection.carryMax
        let count = recv(connections[index].socket, base + room, buffer.count - room, 0)
        if count == 0 { throw BenchmarkError("the server closed event stream \(index)") }
        guard count > 0 else {
            if clinux_errno() == EAGAIN { return false }
            throw .system("read event stream \(index)")
        }
        if !connections[index].isOpen { try checkHead(index, UnsafeRawBufferPointer(start: base + room, count: count)) }
        let carried = connections[index].carryCount
        let carry = carries + index * room
        memcpy(base + room - carried, carry, carried)
        let text = UnsafeRawBufferPointer(start: base + room - carried, count: count + carried)
        let rest = MarkerScanner.scan(text, for: marker, found)
        connections[index].carryCount = text.count - rest
        memcpy(carry, base + room - carried + rest, text.count - rest)
        return count == buffer.count - room
    }

    private func checkHead(_ index: Int, _ bytes: UnsafeRawBufferPointer) throws(BenchmarkError) {
        guard bytes.count > 12, ResponseScanner.number(bytes, from: 9) == 200 else {
            let start = String(decoding: bytes.prefix(300), as: UTF8.self)
            throw BenchmarkError("event stream \(index) was refused: \(start)")
        }
        connections[index].isOpen = true
        openCount += 1
    }
}
