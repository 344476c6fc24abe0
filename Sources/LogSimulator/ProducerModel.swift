/// What an idempotent producer knows: records 1, 2, ... of one partition, in batches.
struct ProducerModel {
    struct Batch {
        let sequence: Int32
        let numbers: [Int64]
        var offset: Int64 = -1

        var next: Int32 { sequence + Int32(numbers.count) }
    }

    /// Another one after a repair gave up what the log knew of it, or records of its own.
    var id: Int64 = 77
    var epoch: Int16 = 0
    /// Acknowledged batches of this epoch.
    var acknowledged: [Batch] = []
    /// Sent, without an answer that says what became of it.
    var pending: Batch?
    /// The last number acknowledged and the last ever sent.
    var lastAcknowledged: Int64 = 0
    var lastSent: Int64 = 0

    /// The batch that comes next: the one without an answer, or a new one.
    mutating func nextBatch(_ count: Int) -> Batch {
        if let pending { return pending }
        let numbers = (0..<Int64(count)).map { lastAcknowledged + 1 + $0 }
        return Batch(sequence: acknowledged.last?.next ?? 0, numbers: numbers)
    }

    mutating func acknowledge(_ batch: Batch, at offset: Int64) {
        var batch = batch
        batch.offset = offset
        acknowledged.append(batch)
        pending = nil
        lastAcknowledged = batch.numbers[batch.numbers.count - 1]
    }
}

/// Events of a topic that keeps each once: their places, as far as they are known.
struct OnceModel {
    struct Place: Equatable {
        let partition: Int32
        let offset: Int64
    }

    var lastEvent = 0
    var places: [Int: Place] = [:]
    /// Sent, without an answer that says what became of them.
    var uncertain: Set<Int> = []
}
