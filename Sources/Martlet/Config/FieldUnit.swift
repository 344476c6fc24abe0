/// The unit of a quantity, which its key's suffix names: `linger_ms` is in milliseconds.
public enum FieldUnit: String, CaseIterable, Sendable {
    case milliseconds
    case seconds
    case minutes
    case hours
    case days
    case bytes
    case events
    case percent

    /// The ending of the keys that hold this unit.
    public var suffix: String {
        self == .milliseconds ? "_ms" : "_\(rawValue)"
    }

    /// The unit that a key's suffix names.
    public init?(key: String) {
        guard let unit = FieldUnit.allCases.first(where: { key.hasSuffix($0.suffix) }) else { return nil }
        self = unit
    }

    /// A key without its unit.
    static func stem(of key: String) -> Substring {
        guard let unit = FieldUnit(key: key) else { return Substring(key) }
        return key.dropLast(unit.suffix.count)
    }
}
