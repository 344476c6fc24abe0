import CLinux

/// Sends requests over keep-alive connections and reads event streams, all on one thread.
final class LoadDriver<Work: Workload> {
    /// When requests are sent.
    enum Schedule {
        /// As soon as a connection is free.
        case flatOut
        /// This many a second, whatever the server does: a request that has to wait for a free connection is late, and
        /// its latency counts from when it was due.
        case rate(Int)
    }

    var work: Work
    let streams: StreamSet
    private let poller: Poller
    private var connections: [RequestConnection] = []
    private var idle: [Int] = []
    private(set) var nextNumber = 0
    private var inFlight = 0
    private let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 65_536, alignment: 64)

    init(work: Work, streams: StreamSet) throws(BenchmarkError) {
        self.work = work
        self.streams = streams
        poller = try Poller()
    }

    deinit {
        for connection in connections { close(connection.socket) }
        buffer.deallocate()
    }

    /// Opens connections for requests.
    func connect(port: UInt16, count: Int) throws(BenchmarkError) {
        for _ in 0..<count {
            let connection = try RequestConnection(port: port)
            poller.add(connection.socket, UInt32(connections.count))
            idle.append(connections.count)
            connections.append(connection)
        }
    }

    /// Opens streams, and waits until the server has answered them all. After `connect`.
    func openStreams(port: UInt16, count: Int, path: (Int) -> String) throws(BenchmarkError) {
        let before = streams.connections.count
        for index in before..<before + count {
            try streams.open(port: port, path: path(index))
            poller.addEdgeTriggered(streams.connections[index].socket, UInt32(connections.count + index))
            // The server accepts while the others connect, so that its backlog does not overflow.
            if index % 512 == 511 { try turn(timeoutMs: 0) }
        }
        let deadline = MonotonicClock.now + MonotonicClock.seconds(30)
        while streams.openCount < streams.connections.count {
            guard MonotonicClock.now < deadline else {
                throw BenchmarkError("only \(streams.openCount) of \(streams.connections.count) event streams opened within 30 s")
            }
            try turn(timeoutMs: 100)
        }
    }

    /// Sends requests for a time, then waits for all answers and all else that the work waits for.
    ///
    /// - Parameter drain: at most this many seconds of waiting; what is missing then is lost.
    func run(_ schedule: Schedule, seconds: Double, drain: Double) throws(BenchmarkError) {
        let start = MonotonicClock.now
        let end = start + MonotonicClock.seconds(seconds)
        let first = nextNumber
        while true {
            let now = MonotonicClock.now
            guard now < end, work.hasRequest(nextNumber) else { break }
            switch schedule {
            case .flatOut:
                while !idle.isEmpty, work.hasRequest(nextNumber) { try sendNext(sentAt: MonotonicClock.now) }
                try turn(timeoutMs: 100)
            case .rate(let rate):
                let due = start + Int64(nextNumber - first) * 1_000_000_000 / Int64(rate)
                if due >= end { break }
                if due <= now, !idle.isEmpty {
                    try sendNext(sentAt: due)
                    continue
                }
                if due > now { poller.setTimer(due) }
                try turn(timeoutMs: 100)
            }
        }
        let deadline = MonotonicClock.now + MonotonicClock.seconds(drain)
        while inFlight > 0 || !work.isComplete, MonotonicClock.now < deadline { try turn(timeoutMs: 20) }
        guard inFlight == 0 else { throw BenchmarkError("\(inFlight) requests were not answered within \(Int(drain)) s") }
    }

    /// Reads what else comes for a time: duplicates come late.
    func linger(seconds: Double) throws(BenchmarkError) {
        let deadline = MonotonicClock.now + MonotonicClock.seconds(seconds)
        while MonotonicClock.now < deadline { try turn(timeoutMs: 10) }
    }

    private func sendNext(sentAt: Int64) throws(BenchmarkError) {
        guard let index = idle.popLast() else { return }
        let number = nextNumber
        nextNumber += 1
        inFlight += 1
        connections[index].number = number
        connections[index].sentAt = sentAt
        if try !connections[index].send(work.request(number)) {
            poller.awaitRoom(connections[index].socket, UInt32(index), true)
        }
    }

    private func turn(timeoutMs: Int32) throws(BenchmarkError) {
        try poller.wait(timeoutMs: timeoutMs) { (number, hasRoom) throws(BenchmarkError) in
            if number == Poller.timer { return }
            let index = Int(number)
            if index >= connections.count { return try readStream(index - connections.count) }
            if hasRoom, !connections[index].unsent.isEmpty, try connections[index].sendRest() {
                poller.awaitRoom(connections[index].socket, number, false)
            }
            try readAnswer(index)
        }
    }

    private func readStream(_ index: Int) throws(BenchmarkError) {
        let now = MonotonicClock.now
        while try streams.read(index, into: buffer, found: { work.received($0, stream: index, now: now) }) {}
    }

    private func readAnswer(_ index: Int) throws(BenchmarkError) {
        let count = recv(connections[index].socket, buffer.baseAddress, buffer.count, 0)
        if count < 0, clinux_errno() == EAGAIN { return }
        guard count > 0 else { throw BenchmarkError("the server closed a connection that a request was on") }
        let bytes = UnsafeRawBufferPointer(rebasing: buffer[..<count])
        let response: ResponseScanner.Response?
        if connections[index].partial.isEmpty {
            response = try ResponseScanner.scan(bytes)
            if response == nil { connections[index].partial = Array(bytes) }
        } else {
            connections[index].partial += bytes
            response = try Self.scan(connections[index].partial)
            if response != nil { connections[index].partial = [] }
        }
        guard let response else { return }
        let number = connections[index].number
        guard number >= 0 else { throw BenchmarkError("an answer came without a request") }
        connections[index].number = -1
        inFlight -= 1
        idle.append(index)
        work.answered(number, status: response.status, sentAt: connections[index].sentAt, now: MonotonicClock.now)
    }

    private static func scan(_ bytes: [UInt8]) throws(BenchmarkError) -> ResponseScanner.Response? {
        let result = bytes.withUnsafeBytes { bytes in
            Result { () throws(BenchmarkError) in try ResponseScanner.scan(bytes) }
        }
        return try result.get()
    }
}
