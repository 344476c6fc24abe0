import Martlet
import Synchronization

/// One channel of the memory bus. The actor makes publishers take turns; the list of subscribers has a lock of its own,
/// so that a subscription can end at any time, also from within its own `receive`.
actor BusChannel {
    private struct Subscribers {
        var entries: [(number: Int, receive: @Sendable (Delivery) -> Void)] = []
        var nextNumber = 0
    }

    private let subscribers = Mutex(Subscribers())

    /// Hands the messages to every subscriber in turn.
    func deliver(_ messages: [Message]) {
        for entry in subscribers.withLock({ $0.entries }) { entry.receive(.messages(messages)) }
    }

    /// Returns the subscription's number.
    nonisolated func add(_ receive: @escaping @Sendable (Delivery) -> Void) -> Int {
        subscribers.withLock { subscribers in
            subscribers.nextNumber += 1
            subscribers.entries.append((subscribers.nextNumber, receive))
            return subscribers.nextNumber
        }
    }

    /// Returns whether the subscription was there.
    nonisolated func remove(_ number: Int) -> Bool {
        subscribers.withLock { subscribers in
            guard let index = subscribers.entries.firstIndex(where: { $0.number == number }) else { return false }
            subscribers.entries.remove(at: index)
            return true
        }
    }

    nonisolated func removeAll() {
        subscribers.withLock { $0.entries = [] }
    }

    nonisolated var isEmpty: Bool {
        subscribers.withLock { $0.entries.isEmpty }
    }
}
