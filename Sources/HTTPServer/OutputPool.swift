import CEvent

/// What the connections of one loop share for writing: blocks to gather small writes in, and the vector of a gathered send.
final class OutputPool {
    static let vectorCountMax = 64
    private static let pooledCountMax = 64

    let vectors: UnsafeMutablePointer<iovec>
    private var blocks: [OutputBlock] = []

    init() {
        vectors = .allocate(capacity: OutputPool.vectorCountMax)
    }

    deinit {
        vectors.deallocate()
    }

    func take() -> OutputBlock {
        guard let block = blocks.popLast() else { return OutputBlock() }
        block.count = 0
        return block
    }

    func giveBack(_ block: OutputBlock) {
        if blocks.count < OutputPool.pooledCountMax { blocks.append(block) }
    }
}
