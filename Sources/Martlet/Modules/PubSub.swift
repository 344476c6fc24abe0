/// A named bus between hosts. It may lose messages; what it carries says so (``Message/previousOffset``).
public protocol PubSub: Module {
    /// Connects. Transient and blocked ``ModuleError``s are tried again with backoff.
    func open() async throws

    /// Publishes in order. Returns when the bus has taken all of them. After an error some of the first may have been
    /// published all the same: receivers tell by what a message says of the one before it.
    func publish(_ messages: [Message], to channel: String) async throws

    /// Calls `receive` for what arrives from now on, in the order of the bus, one call at a time, on any thread.
    /// `receive` must not block. The subscription ends with ``Subscription/cancel()``.
    func subscribe(to channel: String, _ receive: @escaping @Sendable (Delivery) -> Void) async throws -> Subscription

    /// Why the bus, once open, carries nothing at the moment; nil while it works. For `/readyz` and metrics: may be asked
    /// at any time, from any thread.
    var failure: ModuleError? { get }

    func close() async
}

extension PubSub {
    public var failure: ModuleError? { nil }
}

/// A bus that can hand messages to its subscribers on the thread that publishes them, which spares them a hop to another.
package protocol ImmediatePublishing: PubSub {
    /// Publishes as ``PubSub/publish(_:to:)`` does, without waiting; any thread. False, and nothing is published, if that is
    /// not possible now.
    func publishNow(_ messages: [Message], to channel: String) -> Bool
}

/// What a subscription yields.
public enum Delivery: Sendable {
    case messages([Message])
    /// Messages may have been lost here: the bus reconnected or a buffer was full.
    case gap
}

/// Ends a subscription.
public struct Subscription: Sendable {
    private let onCancel: @Sendable () -> Void

    public init(_ onCancel: @escaping @Sendable () -> Void) {
        self.onCancel = onCancel
    }

    /// Receives nothing from now on. A call under way may still finish.
    public func cancel() {
        onCancel()
    }
}
