/// A named value beside an event's payload.
public struct Header: Sendable, Hashable {
    public let name: String
    public let value: Bytes

    public init(_ name: String, _ value: Bytes) {
        self.name = name
        self.value = value
    }
}
