package import Martlet

/// What a group hands its records to.
package enum GroupTarget: Sendable {
    case sink(any Sink)
    case channel(any DeliveryChannel)

    /// Set if the group's offsets live in the target's own store.
    package var transactional: (any TransactionalTarget)? {
        switch self {
        case .sink(let sink): sink as? any TransactionalTarget
        case .channel(let channel): channel as? any TransactionalTarget
        }
    }

    var isChannel: Bool {
        if case .channel = self { true } else { false }
    }

    /// Whether a failed batch left nothing behind and may be split.
    package var hasAtomicBatches: Bool {
        if case .sink(let sink) = self { sink.hasAtomicBatches } else { transactional != nil }
    }
}
