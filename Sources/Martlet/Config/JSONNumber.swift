/// A JSON number: its text as written, and its value.
public struct JSONNumber: Hashable, Sendable {
    /// The number as it was written, so that nothing is lost when it is passed on.
    public let text: String
    /// The value if it is a whole number that fits; `500.0` and `5e2` are whole too.
    public let int64: Int64?
    /// The nearest double; infinite if the number is past a double's range.
    public let double: Double

    /// A whole number built in code.
    public init(_ value: Int64) {
        text = "\(value)"
        int64 = value
        double = Double(value)
    }

    /// - Precondition: `value` is finite, since JSON has no other numbers.
    public init(_ value: Double) {
        precondition(value.isFinite, "JSON has no number for \(value)")
        self.init(validated: "\(value)")
    }

    /// - Parameter text: a number by RFC 8259's grammar.
    init(validated text: String) {
        self.text = text
        double = Double(text) ?? .infinity
        // Past 2^53 a double no longer tells neighbouring integers apart, so only digits count as whole there.
        int64 = Int64(text) ?? (double.magnitude <= 9_007_199_254_740_992 ? Int64(exactly: double) : nil)
    }
}
