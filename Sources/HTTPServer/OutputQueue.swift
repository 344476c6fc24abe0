import CEvent

/// What a connection still has to send, in order: gathered bytes, and references to shared blocks that are not copied.
struct OutputQueue {
    struct Segment {
        /// Keeps the memory alive.
        var owner: AnyObject
        var start: UnsafeRawPointer
        var count: Int
    }

    enum SendResult {
        case drained, blocked
        case failed(Int32)
    }

    /// Bytes not yet taken by the socket.
    private(set) var count = 0
    private var segments: [Segment] = []
    private var first = 0
    /// The block that the last segment grows in.
    private var open: OutputBlock?

    var isEmpty: Bool { count == 0 }

    /// Pieces not yet taken by the socket.
    var segmentCount: Int { segments.count - first }

    /// Copies bytes to the end.
    mutating func append(_ start: UnsafeRawPointer, _ added: Int, pool: OutputPool) {
        var start = start
        var left = added
        while left > 0 {
            let block = openBlock(pool)
            let taken = min(left, OutputBlock.capacity - block.count)
            memcpy(block.memory + block.count, start, taken)
            block.count += taken
            segments[segments.count - 1].count += taken
            start += taken
            left -= taken
        }
        count += added
    }

    private mutating func openBlock(_ pool: OutputPool) -> OutputBlock {
        if let open, open.count < OutputBlock.capacity { return open }
        let block = pool.take()
        open = block
        segments.append(Segment(owner: block, start: UnsafeRawPointer(block.memory), count: 0))
        return block
    }

    /// Appends a reference to memory that `owner` keeps alive and unchanged.
    mutating func append(sharing owner: AnyObject, _ start: UnsafeRawPointer, _ added: Int) {
        guard added > 0 else { return }
        segments.append(Segment(owner: owner, start: start, count: added))
        open = nil
        count += added
    }

    /// Forgets everything.
    mutating func removeAll(pool: OutputPool) {
        if first == 0, segments.count == 1, let open { pool.giveBack(open) }
        open = nil
        first = 0
        count = 0
        segments.removeAll(keepingCapacity: segments.capacity <= 8)
    }

    /// The piece to send if there is exactly one.
    var onlyPiece: (start: UnsafeRawPointer, count: Int)? {
        guard segments.count - first == 1 else { return nil }
        return (segments[first].start, segments[first].count)
    }

    /// Takes off what was sent elsewhere.
    mutating func sent(_ bytes: Int, pool: OutputPool) {
        if bytes == count { removeAll(pool: pool) } else { drop(bytes) }
    }

    /// Sends until all is sent or the socket takes no more.
    mutating func send(to descriptor: Int32, pool: OutputPool) -> SendResult {
        while count > 0 {
            let (sent, offered) = sendOnce(to: descriptor, pool)
            if sent < 0 {
                let code = cevent_errno()
                if code == EINTR { continue }
                return code == EAGAIN || code == EWOULDBLOCK ? .blocked : .failed(code)
            }
            if sent == count { break }
            drop(sent)
            if sent < offered { return .blocked }
        }
        removeAll(pool: pool)
        return .drained
    }

    private func sendOnce(to descriptor: Int32, _ pool: OutputPool) -> (sent: Int, offered: Int) {
        if segments.count - first == 1 {
            let segment = segments[first]
            return (cevent_send(descriptor, segment.start, segment.count), segment.count)
        }
        let vectorCount = min(segments.count - first, OutputPool.vectorCountMax)
        var offered = 0
        for index in 0..<vectorCount {
            let segment = segments[first + index]
            pool.vectors[index] = iovec(iov_base: UnsafeMutableRawPointer(mutating: segment.start), iov_len: segment.count)
            offered += segment.count
        }
        return (cevent_send_vector(descriptor, pool.vectors, vectorCount), offered)
    }

    private mutating func drop(_ sent: Int) {
        var left = sent
        count -= sent
        while left > 0 {
            let available = segments[first].count
            if left < available {
                segments[first].start += left
                segments[first].count -= left
                return
            }
            left -= available
            first += 1
        }
        // Sent segments let go of their memory before the rest is sent.
        if first >= 16 {
            segments.removeFirst(first)
            first = 0
        }
    }
}
