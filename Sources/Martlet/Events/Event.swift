/// Something that happened: what producers publish and sinks receive.
public struct Event: Sendable {
    /// The header that keeps an event's id in a record of Kafka's format, before the event's own headers.
    package static let idHeader = "martlet-id"

    /// Unique id as text: a UUIDv7 unless the producer gave one.
    public var id: Bytes
    /// Events of one key keep their order; nil spreads over partitions.
    public var key: Bytes?
    /// Headers in the producer's order.
    public var headers: [Header]
    /// The payload: JSON unless the topic is declared opaque.
    public var payload: Bytes
    /// Milliseconds since the Unix epoch.
    public var timestamp: Int64

    public init(id: Bytes, key: Bytes?, headers: [Header] = [], payload: Bytes, timestamp: Int64) {
        self.id = id
        self.key = key
        self.headers = headers
        self.payload = payload
        self.timestamp = timestamp
    }

    /// The bytes of id, key, headers and payload.
    public var byteCount: Int {
        id.count + (key?.count ?? 0) + payload.count + headers.reduce(0) { $0 + $1.name.utf8.count + $1.value.count }
    }

    /// The value of the first header of that name.
    public func header(_ name: String) -> Bytes? {
        headers.first { $0.name == name }?.value
    }
}
