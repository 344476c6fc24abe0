/// Makes messages of one partition's batches, each with the offset that was published before it.
///
/// Filtered records are published nowhere, so only the publisher can tell a filtered record from a lost one. Feed it
/// every batch of the partition, empty ones too. One partition, one caller at a time.
public struct MessageSequencer: Sendable {
    /// The end of what the batches so far covered; nil before the first.
    private var covered: Offset?
    private var lastPublished: Offset = -1

    public init() {}

    /// The messages of a batch; ``published(_:covering:)`` then moves on, so that a failed batch is made again alike.
    ///
    /// - Parameters:
    ///   - batch: records in the order of the log, all those of one consumed record together.
    ///   - covering: the consumed offsets that led to the batch. Where it does not follow the batch before, because the
    ///     group began or was reset, all that lies before it counts as published.
    public func messages(of batch: [Record], covering: Range<Offset>) -> [Message] {
        var previous = covered == covering.lowerBound ? lastPublished : covering.lowerBound - 1
        var messages: [Message] = []
        messages.reserveCapacity(batch.count)
        for index in batch.indices {
            let offset = batch[index].offset
            let isLast = index + 1 == batch.count || batch[index + 1].offset != offset
            messages.append(Message(record: batch[index], previousOffset: previous, isLast: isLast))
            if isLast { previous = offset }
        }
        return messages
    }

    /// The bus has taken the batch.
    public mutating func published(_ batch: [Record], covering: Range<Offset>) {
        if covered != covering.lowerBound { lastPublished = covering.lowerBound - 1 }
        if let last = batch.last { lastPublished = last.offset }
        covered = covering.upperBound
    }
}
