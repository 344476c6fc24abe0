import Glibc
import Martlet

/// Splits an NDJSON body into its lines, as slices of the body. Lines of white space only are passed over.
struct LineSplitter: Sequence, IteratorProtocol {
    struct Line {
        let content: Bytes
        /// From 1.
        let number: Int
    }

    private let body: Bytes
    private var position = 0
    private var number = 0

    init(_ body: Bytes) {
        self.body = body
    }

    mutating func next() -> Line? {
        while position < body.count {
            let start = position
            let end = lineEnd(from: start)
            position = end + 1
            number += 1
            let content = trimmed(start..<end)
            if !content.isEmpty { return Line(content: body.slice(content), number: number) }
        }
        return nil
    }

    private func lineEnd(from start: Int) -> Int {
        body.withUnsafeBytes { bytes in
            guard let base = bytes.baseAddress,
                let found = memchr(base + start, Int32(UInt8(ascii: "\n")), bytes.count - start)
            else { return bytes.count }
            return UnsafeRawPointer(found) - base
        }
    }

    private func trimmed(_ range: Range<Int>) -> Range<Int> {
        body.withUnsafeBytes { bytes in
            var lower = range.lowerBound
            var upper = range.upperBound
            while lower < upper, Self.isSpace(bytes[lower]) { lower += 1 }
            while upper > lower, Self.isSpace(bytes[upper - 1]) { upper -= 1 }
            return lower..<upper
        }
    }

    private static func isSpace(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") || byte == UInt8(ascii: "\r")
    }
}
