/// A value found in a payload: what it is, and where its JSON text stands.
public struct PayloadToken: Sendable {
    /// What a value is.
    public enum Kind: UInt8, Sendable {
        /// The pointer leads nowhere.
        case missing
        case null
        case `false`
        case `true`
        /// A whole number in 64 bits.
        case integer
        /// A number with a fraction or an exponent.
        case double
        /// A string without escapes.
        case string
        /// A string with at least one escape.
        case escapedString
        case object
        case array
        /// A whole number past 64 bits with sign.
        case bigInteger
    }

    /// What the value is.
    public var kind: Kind
    /// Where the JSON text begins in the payload, in bytes.
    public var offset: Int
    /// The length of the JSON text in bytes, the quotes of a string included.
    public var count: Int
    /// The bits of an integer, or of a double's pattern; 0 for other kinds.
    public var bits: UInt64

    /// A token; one that is missing has no place.
    public init(kind: Kind, offset: Int = 0, count: Int = 0, bits: UInt64 = 0) {
        self.kind = kind
        self.offset = offset
        self.count = count
        self.bits = bits
    }

    /// The value, or nil if it is missing. A number past 64 bits keeps its digits as ``DataValue/json(_:)``.
    public func value(in payload: Bytes) -> DataValue? {
        switch kind {
        case .missing: nil
        case .null: .null
        case .false: .bool(false)
        case .true: .bool(true)
        case .integer: .integer(Int64(bitPattern: bits))
        case .double: .double(Double(bitPattern: bits))
        case .string, .escapedString: .text(text(in: payload))
        case .object, .array, .bigInteger: .json(text(in: payload))
        }
    }

    /// A string's content, or the JSON text of any other value.
    public func text(in payload: Bytes) -> String {
        payload.withUnsafeBytes { bytes in
            let text = UnsafeRawBufferPointer(rebasing: bytes[textRange])
            return kind == .escapedString ? JSONText.unescaped(text) : String(decoding: text, as: UTF8.self)
        }
    }

    /// Where the bytes between a string's quotes stand, escapes and all, or the JSON text of any other value.
    public var textRange: Range<Int> {
        let isString = kind == .string || kind == .escapedString
        return isString ? offset + 1..<offset + count - 1 : offset..<offset + count
    }
}
