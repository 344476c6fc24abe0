/// Building wire formats without strings.
extension [UInt8] {
    package mutating func append(_ bytes: Bytes) {
        bytes.withUnsafeBytes { append(contentsOf: $0) }
    }

    package mutating func append(literal: StaticString) {
        literal.withUTF8Buffer { append(contentsOf: $0) }
    }

    /// The digits of a number.
    package mutating func append(decimal number: Int64) {
        var rest = number.magnitude
        if number < 0 { append(UInt8(ascii: "-")) }
        let first = count
        repeat {
            append(UInt8(ascii: "0") + UInt8(rest % 10))
            rest /= 10
        } while rest > 0
        self[first...].reverse()
    }
}
