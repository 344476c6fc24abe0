import Martlet
import Synchronization

/// One channel or pattern of the memory bus, with its subscriptions in this process.
///
/// Publishers take turns, so that a subscription gets one call at a time. The list of subscribers has a lock of its own,
/// so that a subscription can end at any time, also from within its own `receive`.
final class BusChannel: Sendable {
    private struct Subscribers {
        var entries: [(number: Int, receive: @Sendable (Delivery) -> Void)] = []
        var nextNumber = 0
    }

    private let turn = Mutex(())
    private let subscribers = Mutex(Subscribers())

    /// Hands the messages to every subscriber in turn.
    func deliver(_ delivery: Delivery) {
        turn.withLock { _ in
            for entry in subscribers.withLock({ $0.entries }) { entry.receive(delivery) }
        }
    }

    /// Returns the subscription's number.
    func add(_ receive: @escaping @Sendable (Delivery) -> Void) -> Int {
        subscribers.withLock { subscribers in
            subscribers.nextNumber += 1
            subscribers.entries.append((subscribers.nextNumber, receive))
            return subscribers.nextNumber
        }
    }

    /// Returns whether the subscription was there.
    func remove(_ number: Int) -> Bool {
        subscribers.withLock { subscribers in
            guard let index = subscribers.entries.firstIndex(where: { $0.number == number }) else { return false }
            subscribers.entries.remove(at: index)
            return true
        }
    }

    func removeAll() {
        subscribers.withLock { $0.entries = [] }
    }

    var count: Int {
        subscribers.withLock { $0.entries.count }
    }
}
