import Martlet

extension Record {
    /// A record of partition 0 of the topic `likes`.
    static func sample(_ offset: Offset, _ payload: String? = nil, key: String? = "bob") -> Record {
        Record(
            topic: "likes", partition: 0, offset: offset,
            event: Event(
                id: Bytes("e\(offset)"), key: key.map { Bytes($0) }, payload: Bytes(payload ?? String(offset)), timestamp: 1_000 + offset))
    }

    var text: String { event.payload.string }
}

extension Event {
    static func sample(_ payload: String, key: String? = "bob") -> Event {
        Event(id: EventID.generate(), key: key.map { Bytes($0) }, payload: Bytes(payload), timestamp: 1)
    }
}
