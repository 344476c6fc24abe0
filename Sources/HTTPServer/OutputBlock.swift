import CEvent

/// Memory in which the heads and small bodies of responses are gathered until they are sent.
final class OutputBlock {
    static let capacity = 16 * 1024

    let memory: UnsafeMutableRawPointer
    var count = 0

    init() {
        memory = allocateMemory(OutputBlock.capacity)
    }

    deinit {
        free(memory)
    }
}
