import CEvent

/// An immutable block of memory that threads, requests, responses and streams share without copying.
///
/// Invariant: `spareCount` zero bytes lie behind the end, so that a SIMD JSON parser may read past it. The memory lives as
/// long as this object: whoever uses `pointer` keeps a reference.
///
/// `@unchecked Sendable`: nothing changes after `init`.
package final class SharedBytes: @unchecked Sendable {
    /// Zero bytes that follow the content.
    package static let spareCount = 64
    /// A block of no bytes.
    package static let empty = SharedBytes([])

    /// The first byte.
    package let pointer: UnsafeRawPointer
    /// Bytes of content, without the spare ones.
    package let count: Int

    /// Takes over memory from `malloc` that holds `count` bytes and has room for the spare ones.
    init(adopting memory: UnsafeMutableRawPointer, count: Int) {
        memset(memory + count, 0, SharedBytes.spareCount)
        pointer = UnsafeRawPointer(memory)
        self.count = count
    }

    /// Copies the bytes of a buffer.
    package convenience init(copying bytes: UnsafeRawBufferPointer) {
        let memory = allocateMemory(bytes.count + SharedBytes.spareCount)
        if let start = bytes.baseAddress { memcpy(memory, start, bytes.count) }
        self.init(adopting: memory, count: bytes.count)
    }

    /// Copies the bytes of an array.
    package convenience init(_ bytes: [UInt8]) {
        let memory = allocateMemory(bytes.count + SharedBytes.spareCount)
        bytes.withUnsafeBytes { source in
            if let start = source.baseAddress { memcpy(memory, start, source.count) }
        }
        self.init(adopting: memory, count: bytes.count)
    }

    /// Copies the UTF-8 of a text.
    package convenience init(_ text: String) {
        let count = text.utf8.count
        let memory = allocateMemory(count + SharedBytes.spareCount)
        var text = text
        text.withUTF8 { source in
            if let start = source.baseAddress { memcpy(memory, start, source.count) }
        }
        self.init(adopting: memory, count: count)
    }

    deinit {
        free(UnsafeMutableRawPointer(mutating: pointer))
    }

    /// The content; valid while this object is referenced.
    package var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: pointer, count: count) }

    /// The content as text; bytes that are not UTF-8 become U+FFFD.
    package var text: String { String(decoding: bytes, as: UTF8.self) }
}

/// Memory from `malloc`. Running out of it ends the process, as everywhere in Swift.
func allocateMemory(_ count: Int) -> UnsafeMutableRawPointer {
    guard let memory = malloc(max(count, 1)) else { preconditionFailure("out of memory for \(count) bytes") }
    return memory
}
