import Glibc

/// Memory of whole journal blocks that begins at a block's boundary: what a write past the system's cache takes.
final class BlockMemory {
    let bytes: UnsafeMutableRawBufferPointer

    /// Zeros.
    init(count: Int) {
        bytes = .allocate(byteCount: JournalFormat.padded(count), alignment: JournalFormat.block)
        bytes.initializeMemory(as: UInt8.self, repeating: 0)
    }

    deinit { bytes.deallocate() }

    /// Copies bytes to the beginning; returns the blocks that hold them, filled up with zeros.
    func fill(_ source: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer {
        let blocks = UnsafeMutableRawBufferPointer(rebasing: bytes[..<JournalFormat.padded(source.count)])
        blocks.copyMemory(from: source)
        UnsafeMutableRawBufferPointer(rebasing: blocks[source.count...]).initializeMemory(as: UInt8.self, repeating: 0)
        return UnsafeRawBufferPointer(blocks)
    }
}
