/// A value on its way between a payload, a template and a database.
public enum DataValue: Sendable, Hashable {
    case null
    case bool(Bool)
    case integer(Int64)
    case double(Double)
    case text(String)
    /// A JSON object or array, as its text.
    case json(String)
    /// Raw bytes (a SQL blob).
    case bytes(Bytes)
}
