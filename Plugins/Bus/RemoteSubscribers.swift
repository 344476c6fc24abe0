import Martlet

/// The clients' subscriptions, by channel and by pattern. Belongs to the listener's thread.
struct RemoteSubscribers {
    private var channels: [Bytes: [BusConnection]] = [:]
    private var patterns: [Bytes: (pattern: ChannelPattern, clients: [BusConnection])] = [:]

    mutating func add(_ connection: BusConnection, to name: Bytes, isPattern: Bool) {
        if isPattern {
            patterns[name, default: (ChannelPattern(name), [])].clients.append(connection)
        } else {
            channels[name, default: []].append(connection)
        }
    }

    mutating func remove(_ connection: BusConnection, from name: Bytes, isPattern: Bool) {
        if isPattern {
            patterns[name]?.clients.removeAll { $0 === connection }
            if patterns[name]?.clients.isEmpty == true { patterns[name] = nil }
        } else {
            channels[name]?.removeAll { $0 === connection }
            if channels[name]?.isEmpty == true { channels[name] = nil }
        }
    }

    /// Queues payloads for everyone who gets them. Returns to how many subscriptions.
    ///
    /// - Parameter payloads: called at most once, if there is anyone.
    func fanOut(to channel: Bytes, _ payloads: () -> [Bytes]) -> Int {
        let clients = channels[channel] ?? []
        let matching = patterns.isEmpty ? [] : patterns.filter { $0.value.pattern.matches(channel) }
        guard !clients.isEmpty || !matching.isEmpty else { return 0 }
        let payloads = payloads()
        var count = Self.send(MessageFrames(channel: channel, pattern: nil, payloads: payloads), to: clients)
        for (name, entry) in matching {
            count += Self.send(MessageFrames(channel: channel, pattern: name, payloads: payloads), to: entry.clients)
        }
        return count
    }

    private static func send(_ frames: MessageFrames, to clients: [BusConnection]) -> Int {
        var frames = frames
        for client in clients { client.enqueue(frames.bytes(version: client.version)) }
        return clients.count
    }

    var names: [Bytes] { Array(channels.keys) }
    var patternNames: [Bytes] { Array(patterns.keys) }

    func count(of channel: Bytes) -> Int { channels[channel]?.count ?? 0 }
}
