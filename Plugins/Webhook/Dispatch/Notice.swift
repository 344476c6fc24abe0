import Martlet

/// What a dispatcher is told; it comes from any thread and is dealt with in its turn.
enum Notice: Sendable {
    case completed(CompletedRequest)
    case read(ReadResult)
    case written(Result<Void, ModuleError>)
    case endpoints([EndpointSettings])
    case share(LeaseStore.Share)
    /// New deliveries wait for these endpoints.
    case arrived([String])
    /// Nothing more is sent from now on.
    case stopSending
    case end
}

/// A request that has ended.
struct CompletedRequest: Sendable {
    let endpoint: String
    let delivery: Delivery
    let url: String
    let result: Result<OutgoingResponse, ModuleError>
    let started: Moment
    let ended: Moment
}

/// A read that a queue asks for.
enum ReadAction: Sendable {
    /// The heads that wait for a retry, without what is to be sent.
    case held(rows: Int)
    /// The heads whose retry is due.
    case due(now: Int64, rows: Int)
    /// Deliveries of a key that the scan passed by.
    case key(LaneTable.LaneRead, rows: Int)
    /// The next deliveries of all keys.
    case scan(after: Int64, rows: Int)
}

/// What a read came to.
struct ReadResult: Sendable {
    /// What was found.
    enum Found: Sendable {
        case held([HeldDelivery])
        case page(DeliveryReader.Page)
        case failure(ModuleError)
    }

    let endpoint: String
    let generation: Int
    let action: ReadAction
    let found: Found
}
