/// For what an endpoint wants a slot, by which ``RequestSlots`` decides whether it gets one. Those before go first.
enum SlotClaim: Int, CaseIterable, Sendable {
    /// The first request of an endpoint that answers.
    case first
    /// The first request of an endpoint that nothing is known of.
    case trial
    /// One more of an endpoint that has some under way.
    case more
    /// Any request of an endpoint that hangs.
    case hanging

    init(_ standing: Standing, inFlight: Int) {
        switch standing {
        case .hangs: self = .hanging
        case .new where inFlight == 0: self = .trial
        case .answers where inFlight == 0: self = .first
        case .new, .answers: self = .more
        }
    }
}
