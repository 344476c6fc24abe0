/// The members of a JSON object that a ``PayloadReader`` has checked, in their order, each where it stands.
///
/// For objects whose keys are not known beforehand; a ``PayloadLookup`` finds known ones faster.
public struct JSONMembers: Sequence, IteratorProtocol {
    /// One member.
    public struct Member: Sendable {
        /// The key, its escapes resolved.
        public let key: String
        /// The value's JSON text, in the same memory.
        public let value: Bytes
    }

    private let text: Bytes
    private var index: Int

    /// - Parameter object: checked JSON. What is no object has no members.
    public init(of object: Bytes) {
        text = object
        index = object.withUnsafeBytes { Self.skipSpace($0, from: 0) }
        index = index < object.count && object[index] == UInt8(ascii: "{") ? index + 1 : object.count
    }

    /// The next member; nil at the end.
    public mutating func next() -> Member? {
        let place = text.withUnsafeBytes { bytes -> (key: Range<Int>, value: Range<Int>)? in
            var start = Self.skipSpace(bytes, from: index)
            if start < bytes.count, bytes[start] == UInt8(ascii: ",") { start = Self.skipSpace(bytes, from: start + 1) }
            guard start < bytes.count, bytes[start] == UInt8(ascii: "\"") else { return nil }
            let keyEnd = Self.endOfString(bytes, from: start)
            var value = Self.skipSpace(bytes, from: keyEnd)
            guard value < bytes.count, bytes[value] == UInt8(ascii: ":") else { return nil }
            value = Self.skipSpace(bytes, from: value + 1)
            return (start + 1..<keyEnd - 1, value..<Self.endOfValue(bytes, from: value))
        }
        guard let place else {
            index = text.count
            return nil
        }
        index = place.value.upperBound
        let key = text.withUnsafeBytes { JSONText.unescaped(UnsafeRawBufferPointer(rebasing: $0[place.key])) }
        return Member(key: key, value: text.slice(place.value))
    }

    private static func skipSpace(_ bytes: UnsafeRawBufferPointer, from start: Int) -> Int {
        var index = start
        while index < bytes.count, [0x20, 0x09, 0x0A, 0x0D].contains(bytes[index]) { index += 1 }
        return index
    }

    /// The index behind the closing quote of the string that opens at `start`.
    private static func endOfString(_ bytes: UnsafeRawBufferPointer, from start: Int) -> Int {
        var index = start + 1
        while index < bytes.count, bytes[index] != UInt8(ascii: "\"") {
            index += bytes[index] == UInt8(ascii: "\\") ? 2 : 1
        }
        return Swift.min(index + 1, bytes.count)
    }

    private static func endOfValue(_ bytes: UnsafeRawBufferPointer, from start: Int) -> Int {
        var index = start
        var depth = 0
        while index < bytes.count {
            switch bytes[index] {
            case UInt8(ascii: "\""):
                index = endOfString(bytes, from: index) - 1
            case UInt8(ascii: "{"), UInt8(ascii: "["):
                depth += 1
            case UInt8(ascii: "}"), UInt8(ascii: "]"):
                if depth == 0 { return index }
                depth -= 1
                if depth == 0 { return index + 1 }
            case UInt8(ascii: ","), 0x20, 0x09, 0x0A, 0x0D:
                if depth == 0 { return index }
            default:
                break
            }
            index += 1
            if depth == 0, index > start, bytes[start] == UInt8(ascii: "\"") { return index }
        }
        return index
    }
}

extension JSONText {
    /// The content of checked JSON that is a string; nil for another value.
    public static func string(_ value: Bytes) -> String? {
        guard value.count >= 2, value[0] == UInt8(ascii: "\"") else { return nil }
        return value.withUnsafeBytes { unescaped(UnsafeRawBufferPointer(rebasing: $0[1..<value.count - 1])) }
    }
}
