import CLinux

/// A keep-alive connection with at most one request under way.
struct RequestConnection {
    let socket: Int32
    /// The request under way, -1 while idle.
    var number = -1
    var sentAt: Int64 = 0
    /// What the socket has not taken yet.
    var unsent: [UInt8] = []
    var unsentStart = 0
    /// The start of an answer that came in several pieces.
    var partial: [UInt8] = []

    init(port: UInt16) throws(BenchmarkError) {
        socket = clinux_connect_loopback(port)
        guard socket >= 0 else { throw .system("connect to port \(port)") }
        clinux_set_nonblocking(socket)
    }

    /// Sends as much as the socket takes; true if all.
    mutating func send(_ bytes: UnsafeRawBufferPointer) throws(BenchmarkError) -> Bool {
        let count = try write(bytes)
        if count == bytes.count { return true }
        unsent = Array(bytes[count...])
        unsentStart = 0
        return false
    }

    /// Goes on after the socket has room again; true when all is sent.
    mutating func sendRest() throws(BenchmarkError) -> Bool {
        let start = unsentStart
        let bytes = unsent
        var sent = 0
        var failure: BenchmarkError?
        bytes.withUnsafeBytes { all in
            do throws(BenchmarkError) {
                sent = try write(UnsafeRawBufferPointer(rebasing: all[start...]))
            } catch {
                failure = error
            }
        }
        if let failure { throw failure }
        unsentStart += sent
        guard unsentStart == unsent.count else { return false }
        unsent = []
        return true
    }

    private func write(_ bytes: UnsafeRawBufferPointer) throws(BenchmarkError) -> Int {
        let count = clinux_send(socket, bytes.baseAddress, bytes.count)
        if count >= 0 { return count }
        guard clinux_errno() == EAGAIN else { throw .system("send a request") }
        return 0
    }
}
