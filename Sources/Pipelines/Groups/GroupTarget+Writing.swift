import Martlet

extension GroupTarget {
    /// Whether the target wants to know of batches of which transforms left nothing.
    var wantsEmptyBatches: Bool {
        if case .sink(let sink) = self { sink is any PositionedSink } else { false }
    }

    /// Hands records over.
    /// - Parameters:
    ///   - partition: where all of the records come from.
    ///   - covering: the consumed offsets that these records come from; earlier ones were covered before.
    func write(_ records: [Record], of partition: GroupPartition, covering: Range<Offset>) async throws -> WriteResult {
        switch self {
        case .sink(let sink):
            if let positioned = sink as? any PositionedSink {
                return try await positioned.write(records, of: partition, covering: covering)
            }
            return try await sink.write(records)
        case .channel(let channel):
            let messages = MessageSequencer().messages(of: records, covering: covering)
            return try await channel.deliver(messages)
        }
    }
}
