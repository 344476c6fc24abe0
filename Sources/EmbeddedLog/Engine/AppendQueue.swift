/// One append call, or something that has to run between two cycles.
struct QueuedAppend: Sendable {
    struct Part: Sendable {
        let partition: PartitionLog
        let records: RecordBatch
        let producer: ProducerMark?
        /// The batch's producer, if its sequence is to be checked.
        var sequence: BatchProducer?
        /// Hashes of the records' event ids, if the topic has a window; else empty.
        var eventIDs: [EventIDHash] = []
    }

    typealias Completion = @Sendable (Result<[AppendReceipt], LogError>) -> Void

    var parts: [Part] = []
    var bytes = 0
    /// The log's own records: small, and taken when space is already short.
    var isInternal = false
    var offsets: GroupOffsetUpdate?
    /// Runs on the commit thread before the cycle.
    var control: (@Sendable () -> Void)?
    var completion: Completion?
}

/// What waits for the commit thread.
struct AppendQueue {
    var items: [QueuedAppend] = []
    /// Bytes of appends that are not acknowledged yet, those of the running cycle included.
    var bytes = 0
    /// Whether a new item has to wake the commit thread; it is not woken while busy.
    var commitThreadWaits = false
    var closing = false
    /// Why nothing is taken any more.
    var refusal: LogError?
}
