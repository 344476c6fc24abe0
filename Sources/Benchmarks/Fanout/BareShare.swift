import CLinux

/// The streams that one thread of ``BareSender`` sends to.
///
/// A stream is added, and a message handed over, by one other thread, while this one has nothing to send.
final class BareShare: @unchecked Sendable {
    // Unchecked: the two threads take turns, which the signal and the clients' waiting order.
    private var sockets: [Int32] = []
    private var message: [UInt8] = []
    private let wanted = Signal()
    private var thread: WorkerThread?

    /// Starts the thread, which lives as long as the process.
    init() throws(BenchmarkError) {
        thread = try WorkerThread { [self] in
            while true {
                guard wanted.wait(atMost: 60) else { continue }
                for socket in sockets { _ = clinux_send(socket, message, message.count) }
            }
        }
    }

    func add(_ socket: Int32) {
        sockets.append(socket)
    }

    /// Has the message sent to all streams, and returns at once.
    func send(_ message: [UInt8]) {
        self.message = message
        wanted.raise()
    }
}
