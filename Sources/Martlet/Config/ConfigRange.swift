/// The inclusive range of a number field.
public struct ConfigRange: Hashable, Sendable {
    /// The least value allowed.
    public let minimum: JSONNumber
    /// nil when there is no upper limit, declared as `1...Int.max`.
    public let maximum: JSONNumber?

    init?<Bound: ConfigValue & Comparable>(_ range: ClosedRange<Bound>) {
        guard case .number(let minimum)? = range.lowerBound.configNode?.kind else { return nil }
        self.minimum = minimum
        if case .number(let maximum)? = range.upperBound.configNode?.kind, maximum.int64 != .max {
            self.maximum = maximum
        } else {
            maximum = nil
        }
    }

    /// `from 1 to 10000`, or `at least 1`.
    public var text: String {
        if let maximum { "from \(minimum.text) to \(maximum.text)" } else { "at least \(minimum.text)" }
    }
}
