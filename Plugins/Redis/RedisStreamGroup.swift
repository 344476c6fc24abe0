import Martlet

/// A consumer of a stream's group. All calls block.
struct RedisStreamGroup: Sendable {
    struct Entry: Sendable {
        let id: Bytes
        let fields: [(name: Bytes, value: Bytes)]

        /// Whether only its id is left: an entry that is there has a field.
        var isDeleted: Bool { fields.isEmpty }
    }

    private let client: RedisClient
    private let stream: Bytes
    private let group: Bytes
    private let consumer: Bytes
    private let fromBeginning: Bool
    private let limit: Bytes

    init(_ client: RedisClient, stream: Bytes, group: Bytes, consumer: Bytes, fromBeginning: Bool, limit: Int) {
        self.client = client
        self.stream = stream
        self.group = group
        self.consumer = consumer
        self.fromBeginning = fromBeginning
        self.limit = Bytes(String(limit))
    }

    /// Makes the group, and the stream, unless they are there.
    func make() throws(ModuleError) {
        let command: [Bytes] = ["XGROUP", "CREATE", stream, group, fromBeginning ? "0" : "$", "MKSTREAM"]
        if case .error(let text) = try client.runAll([command])[0], !text.hasPrefix("BUSYGROUP") {
            throw client.failure(text, command)
        }
    }

    /// Entries that this consumer has and has not acknowledged.
    func pending(after id: Bytes) throws(ModuleError) -> [Entry] {
        Self.entries(
            ofStreams: try client.run(["XREADGROUP", "GROUP", group, consumer, "COUNT", limit, "STREAMS", stream, id]))
    }

    /// Entries that nobody has had; waits for some.
    func new(wait milliseconds: Int) throws(ModuleError) -> [Entry] {
        Self.entries(
            ofStreams: try client.run([
                "XREADGROUP", "GROUP", group, consumer, "COUNT", limit, "BLOCK", Bytes(String(milliseconds)), "STREAMS", stream, ">",
            ]))
    }

    /// Takes over entries that another consumer has left lying. None from a server before Redis 6.2, which cannot.
    func claim(idle milliseconds: Int) throws(ModuleError) -> [Entry] {
        let command: [Bytes] = ["XAUTOCLAIM", stream, group, consumer, Bytes(String(milliseconds)), "0", "COUNT", limit]
        let reply = try client.runAll([command])[0]
        if case .error(let text) = reply {
            if text.hasPrefix("ERR unknown command") { return [] }
            throw client.failure(text, command)
        }
        return reply.items.count > 1 ? Self.entries(reply.items[1]) : []
    }

    func acknowledge(_ ids: [Bytes]) throws(ModuleError) {
        _ = try client.run(["XACK", stream, group] + ids)
    }

    private static func entries(ofStreams reply: RedisClient.Reply) -> [Entry] {
        // One stream was asked for: [[name, entries]].
        guard let stream = reply.items.first, stream.items.count == 2 else { return [] }
        return entries(stream.items[1])
    }

    private static func entries(_ reply: RedisClient.Reply) -> [Entry] {
        reply.items.compactMap { item in
            guard item.items.count == 2, let id = item.items[0].bytes else { return nil }
            let values = item.items[1].items.compactMap(\.bytes)
            let fields = stride(from: 0, to: values.count - 1, by: 2).map { (name: values[$0], value: values[$0 + 1]) }
            return Entry(id: id, fields: fields)
        }
    }
}
