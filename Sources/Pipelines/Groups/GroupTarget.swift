package import Martlet

/// What a group hands its records to.
package enum GroupTarget: Sendable {
    case sink(any Sink)
    case channel(any DeliveryChannel)

    /// Set if the group's offsets live in the sink's own store.
    package var transactional: (any TransactionalSink)? {
        if case .sink(let sink) = self { sink as? any TransactionalSink } else { nil }
    }

    /// Whether a failed batch left nothing behind and may be split.
    package var hasAtomicBatches: Bool {
        if case .sink(let sink) = self { sink.hasAtomicBatches } else { false }
    }
}
