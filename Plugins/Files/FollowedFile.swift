import Glibc
import Martlet

/// A file that is read to its end, and further as it grows. Used on one thread; it is closed with its last reference.
final class FollowedFile {
    /// A line, or why it is none.
    struct Line {
        /// Without its end.
        let content: Bytes
        /// Where it begins in the file.
        let offset: Int
        let isTooLong: Bool
    }

    private static let chunkBytes = 256 << 10

    let identity: FileIdentity
    private(set) var path: String
    private let descriptor: CInt
    /// The end of the lines that were handed on and settled.
    private(set) var settled: Int
    /// Names the file, and what it holds since it was last cut off, in events' ids.
    private(set) var number: Int
    private(set) var head: FileHead
    /// The end of the lines that were taken.
    private var taken: Int
    private var buffer: [UInt8] = []
    /// The offset in the file of the buffer's first byte.
    private var bufferStart: Int
    /// Bytes of the buffer that are done with, and those in which no line end is.
    private var consumed = 0
    private var searched = 0
    private var isSkipping = false
    private let maxLineBytes: Int

    init(path: String, descriptor: CInt, identity: FileIdentity, position: FilePosition, maxLineBytes: Int) {
        self.path = path
        self.descriptor = descriptor
        self.identity = identity
        self.maxLineBytes = maxLineBytes
        settled = position.offset
        number = position.number
        head = position.head
        taken = settled
        bufferStart = settled
    }

    deinit {
        close(descriptor)
    }

    var position: FilePosition { FilePosition(path: path, offset: settled, number: number, head: head) }

    func moved(to path: String) {
        self.path = path
    }

    /// Begins behind what is there now.
    func skipToEnd() {
        guard let status = FileIdentity.status(of: descriptor) else { return }
        settled = Int(status.st_size)
        begin(at: settled)
        head = FileHead(of: descriptor, count: min(FileIdentity.headLimit, settled)) ?? .empty
    }

    /// The lines taken so far are settled.
    func settle() {
        settled = taken
    }

    /// Whether the file was cut off, or overwritten from its beginning.
    var isTruncated: Bool {
        guard let status = FileIdentity.status(of: descriptor) else { return false }
        return Int(status.st_size) < bufferStart + buffer.count || FileHead(of: descriptor, count: head.count) != head
    }

    /// Reads from the beginning, as a file of another number.
    func beginAgain(as number: Int) {
        self.number = number
        head = .empty
        settled = 0
        begin(at: 0)
    }

    /// Takes the next lines, at most `limit`.
    ///
    /// - Parameter isFinal: nobody writes to the file any more, so that a last line without an end counts too.
    func takeLines(_ limit: Int, isFinal: Bool) -> [Line] {
        var lines: [Line] = []
        while lines.count < limit {
            if let line = nextLine() {
                lines.append(line)
            } else if !fill() {
                if isFinal, let line = lastLine() { lines.append(line) }
                break
            }
        }
        return lines
    }

    /// Whether everything was taken and settled, a last line without an end too.
    var hasNothingLeft: Bool {
        guard let status = FileIdentity.status(of: descriptor) else { return true }
        return settled >= Int(status.st_size)
    }

    private func nextLine() -> Line? {
        guard let end = buffer[searched...].firstIndex(of: UInt8(ascii: "\n")) else {
            searched = buffer.count
            if buffer.count - consumed > maxLineBytes {
                // Its beginning need not be kept.
                isSkipping = true
                consumed = buffer.count
            }
            return nil
        }
        return take(end, next: end + 1)
    }

    private func lastLine() -> Line? {
        consumed == buffer.count && !isSkipping ? nil : take(buffer.count, next: buffer.count)
    }

    private func take(_ end: Int, next: Int) -> Line {
        let isTooLong = isSkipping || end - consumed > maxLineBytes
        var text = isTooLong ? [] : buffer[consumed..<end]
        if text.last == UInt8(ascii: "\r") { text.removeLast() }
        let line = Line(content: text.withUnsafeBytes { Bytes(copying: $0) }, offset: taken, isTooLong: isTooLong)
        isSkipping = false
        consumed = next
        searched = next
        taken = bufferStart + next
        return line
    }

    /// Reads on; false at the end.
    private func fill() -> Bool {
        buffer.removeFirst(consumed)
        bufferStart += consumed
        searched -= consumed
        consumed = 0
        let place = off_t(bufferStart + buffer.count)
        return withUnsafeTemporaryAllocation(byteCount: Self.chunkBytes, alignment: 1) { chunk in
            let count = pread(descriptor, chunk.baseAddress, chunk.count, place)
            // If the file was overwritten since the last look, this is the middle of something new: the next look begins again.
            guard count > 0, FileHead(of: descriptor, count: head.count) == head else { return false }
            let read = UnsafeRawBufferPointer(rebasing: chunk[..<count])
            head.extend(with: read, at: Int(place))
            buffer.append(contentsOf: read)
            return true
        }
    }

    private func begin(at offset: Int) {
        taken = offset
        bufferStart = offset
        buffer.removeAll(keepingCapacity: true)
        consumed = 0
        searched = 0
        isSkipping = false
    }
}

/// How far a file has been read.
struct FilePosition: Sendable, Equatable {
    let path: String
    let offset: Int
    /// See ``FollowedFile/number``.
    let number: Int
    let head: FileHead
}
