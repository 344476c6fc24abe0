import CEvent

/// Sends what many connections have to send in one system call, where the system lets it (io_uring): a message to
/// thousands of streams spends a quarter less of the processor so. Each send is what send(2) would have done, at once and
/// without blocking; nothing stays under way.
///
/// Belongs to the thread of its loop.
final class SendRing {
    /// Connections in one call.
    static let countMax = 128
    /// Fewer are sent one by one.
    static let countMin = 16

    private var ring = cevent_ring()
    private var connections: [Connection] = []

    /// Nil if the system has no io_uring or does not allow it; then sends go one by one.
    init?() {
        guard cevent_ring_open(&ring, UInt32(SendRing.countMax)) == 0 else { return nil }
        connections.reserveCapacity(SendRing.countMax)
    }

    deinit {
        cevent_ring_close(&ring)
    }

    var isFull: Bool { connections.count == SendRing.countMax }

    /// Adds what the connection has to send.
    func add(_ connection: Connection, _ start: UnsafeRawPointer, _ count: Int) {
        cevent_ring_send(&ring, connection.descriptor, start, count, UInt32(connections.count))
        connections.append(connection)
    }

    /// Sends all that was added. Every connection has taken note of its result before the first acts on it, since what one
    /// does may reach others.
    func run() {
        if connections.isEmpty { return }
        cevent_ring_run(&ring)
        var number: UInt32 = 0
        var result: Int32 = 0
        while cevent_ring_next(&ring, &number, &result) == 1 {
            connections[Int(number)].batchResult = result
        }
        let batch = connections
        connections.removeAll(keepingCapacity: true)
        for connection in batch { connection.noteBatchedSend() }
        for connection in batch { connection.settleBatchedSend() }
    }
}
