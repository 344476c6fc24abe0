extension DataValue {
    /// The value as it appears inside text: a string is its content, a number its digits, null `null`.
    public var rendered: String {
        switch self {
        case .null: "null"
        case .bool(let value): value ? "true" : "false"
        case .integer(let value): String(value)
        case .double(let value): String(value)
        case .text(let value), .json(let value): value
        case .bytes(let value): value.string
        }
    }

    /// The value as an event's key or id: null is none.
    public var keyBytes: Bytes? {
        switch self {
        case .null: nil
        case .bytes(let value): value
        default: Bytes(rendered)
        }
    }
}
