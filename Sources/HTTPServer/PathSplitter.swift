/// The raw segments of an absolute path: what lies between its slashes. `/` has one empty segment, `/a/` has `a` and an empty one.
struct PathSplitter: IteratorProtocol {
    private let path: UnsafeBufferPointer<UInt8>
    /// Just behind the slash that opens the next segment; past the end when there is none.
    private var position: Int

    init(_ path: UnsafeBufferPointer<UInt8>) {
        self.path = path
        position = path.first == UInt8(ascii: "/") ? 1 : path.count + 1
    }

    mutating func next() -> UnsafeBufferPointer<UInt8>? {
        guard position <= path.count else { return nil }
        let start = position
        while position < path.count, path[position] != UInt8(ascii: "/") { position += 1 }
        let segment = UnsafeBufferPointer(rebasing: path[start..<position])
        position += 1
        return segment
    }
}
