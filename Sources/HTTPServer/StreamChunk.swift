import CEvent

/// A message framed once as an HTTP chunk, to be written to any number of streams without copying.
///
/// Layout: size in hexadecimal, CRLF, payload, CRLF. A client of HTTP/1.0 gets the payload only.
///
/// `@unchecked Sendable`: nothing changes after `init`.
package final class StreamChunk: @unchecked Sendable {
    let start: UnsafeRawPointer
    let count: Int
    let payloadStart: UnsafeRawPointer
    /// Bytes of the message itself.
    package let payloadCount: Int

    /// Keeps memory that another object framed; nil if the memory is this chunk's own.
    private let owner: AnyObject?

    private init(framed memory: UnsafeMutableRawPointer, sizeLineCount: Int, payloadCount: Int) {
        owner = nil
        start = UnsafeRawPointer(memory)
        count = sizeLineCount + payloadCount + 2
        payloadStart = start + sizeLineCount
        self.payloadCount = payloadCount
    }

    /// Shares a chunk that is framed already, in memory that `owner` keeps unchanged. Its payload must not be empty.
    ///
    /// - Parameters:
    ///   - framed: size line, payload and CRLF.
    ///   - sizeLineCount: bytes before the payload.
    package init(sharing framed: UnsafeRawBufferPointer, sizeLineCount: Int, owner: AnyObject) {
        precondition(framed.count > sizeLineCount + 2, "a stream chunk must hold at least one byte; an empty one ends the stream")
        guard let base = framed.baseAddress else { preconditionFailure("a stream chunk without memory") }
        self.owner = owner
        start = base
        count = framed.count
        payloadStart = base + sizeLineCount
        payloadCount = framed.count - sizeLineCount - 2
    }

    /// Frames a copy of the bytes. They must not be empty: an empty chunk would end the stream.
    package convenience init(copying payload: UnsafeRawBufferPointer) {
        precondition(!payload.isEmpty, "a stream chunk must hold at least one byte; an empty one ends the stream")
        let sizeLine = Array((String(payload.count, radix: 16) + "\r\n").utf8)
        let memory = allocateMemory(sizeLine.count + payload.count + 2)
        memory.copyMemory(from: sizeLine, byteCount: sizeLine.count)
        if let source = payload.baseAddress { memcpy(memory + sizeLine.count, source, payload.count) }
        memory.storeBytes(of: 13, toByteOffset: sizeLine.count + payload.count, as: UInt8.self)
        memory.storeBytes(of: 10, toByteOffset: sizeLine.count + payload.count + 1, as: UInt8.self)
        self.init(framed: memory, sizeLineCount: sizeLine.count, payloadCount: payload.count)
    }

    /// Frames the UTF-8 of a text. It must not be empty.
    package static func text(_ text: String) -> StreamChunk {
        var text = text
        return text.withUTF8 { StreamChunk(copying: UnsafeRawBufferPointer($0)) }
    }

    /// Frames a copy of the bytes. They must not be empty.
    package static func bytes(_ bytes: [UInt8]) -> StreamChunk {
        bytes.withUnsafeBytes { StreamChunk(copying: $0) }
    }

    deinit {
        if owner == nil { free(UnsafeMutableRawPointer(mutating: start)) }
    }
}
