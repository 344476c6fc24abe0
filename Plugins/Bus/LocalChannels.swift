import Martlet
import Synchronization

/// The subscriptions inside this process, by channel and by pattern.
final class LocalChannels: Sendable {
    private struct State {
        var channels: [Bytes: BusChannel] = [:]
        var patterns: [Bytes: (pattern: ChannelPattern, channel: BusChannel)] = [:]
    }

    private let state = Mutex(State())

    /// Adds a subscription, to a pattern if the name is one. Returns what ends it; true means it was not ended before.
    func add(_ name: String, _ receive: @escaping @Sendable (Delivery) -> Void) -> @Sendable () -> Bool {
        let key = Bytes(name)
        let isPattern = ChannelPattern.isPattern(name)
        let (channel, number) = state.withLock { state in
            let channel = (isPattern ? state.patterns[key]?.channel : state.channels[key]) ?? BusChannel()
            if isPattern { state.patterns[key] = (ChannelPattern(key), channel) } else { state.channels[key] = channel }
            return (channel, channel.add(receive))
        }
        return { [weak self] in self?.end(number, of: channel, key, isPattern) ?? false }
    }

    private func end(_ number: Int, of channel: BusChannel, _ key: Bytes, _ isPattern: Bool) -> Bool {
        state.withLock { state in
            guard channel.remove(number) else { return false }
            guard channel.count == 0 else { return true }
            if isPattern {
                if state.patterns[key]?.channel === channel { state.patterns[key] = nil }
            } else if state.channels[key] === channel {
                state.channels[key] = nil
            }
            return true
        }
    }

    /// Those whose subscribers get what is published to the channel.
    func targets(of name: Bytes) -> [BusChannel] {
        state.withLock { state in
            let matching = state.patterns.isEmpty ? [] : state.patterns.values.filter { $0.pattern.matches(name) }.map(\.channel)
            return (state.channels[name].map { [$0] } ?? []) + matching
        }
    }

    /// Ends all subscriptions.
    func removeAll() {
        state.withLock { state in
            for channel in state.channels.values { channel.removeAll() }
            for entry in state.patterns.values { entry.channel.removeAll() }
            state = State()
        }
    }

    /// The names of channels with subscribers; patterns do not count.
    var names: [Bytes] { state.withLock { Array($0.channels.keys) } }

    /// The patterns with subscribers.
    var patternNames: [Bytes] { state.withLock { Array($0.patterns.keys) } }

    /// How many subscriptions the channel has; those to patterns do not count.
    func count(of name: Bytes) -> Int {
        state.withLock { $0.channels[name] }?.count ?? 0
    }
}
