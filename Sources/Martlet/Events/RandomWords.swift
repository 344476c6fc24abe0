import Glibc

/// Random words of the system, fetched 32 at a time: a system call for each would be most of the cost of an event's id.
struct RandomWords: RandomNumberGenerator {
    private static let count = 32
    private var words: [UInt64] = []

    mutating func next() -> UInt64 {
        if let word = words.popLast() { return word }
        words = Array(repeating: 0, count: Self.count)
        // 256 bytes are what one call gives without failing or falling short (getentropy(3)).
        let result = getentropy(&words, Self.count * 8)
        precondition(result == 0, "the system has no random numbers: \(String(cString: strerror(errno)))")
        return words.removeLast()
    }
}
