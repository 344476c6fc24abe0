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
    /// For what it had its slot.
    let claim: SlotClaim
    let url: String
    let result: Result<OutgoingResponse, ModuleError>
    let started: Moment
    let ended: Moment
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
