import Martlet

/// Messages of one channel as clients get them, made once for all that speak the same version.
struct MessageFrames {
    let channel: Bytes
    /// For those that subscribed to a pattern.
    let pattern: Bytes?
    let payloads: [Bytes]
    private var made: [Int: Bytes] = [:]

    init(channel: Bytes, pattern: Bytes?, payloads: [Bytes]) {
        self.channel = channel
        self.pattern = pattern
        self.payloads = payloads
    }

    /// - Parameter version: 2 or 3.
    mutating func bytes(version: Int) -> Bytes {
        if let bytes = made[version] { return bytes }
        var writer = ReplyWriter()
        writer.version = version
        for payload in payloads {
            writer.push(pattern == nil ? 3 : 4)
            writer.bulk(pattern == nil ? "message" : "pmessage")
            if let pattern { writer.bulk(pattern) }
            writer.bulk(channel)
            writer.bulk(payload)
        }
        let bytes = Bytes(writer.bytes)
        made[version] = bytes
        return bytes
    }
}
