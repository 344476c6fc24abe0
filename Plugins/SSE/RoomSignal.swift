import Synchronization

/// Lets deliverers wait until the shards have taken what is in their inboxes.
final class RoomSignal: Sendable {
    private let waiters = Mutex<[CheckedContinuation<Void, Never>]>([])

    /// Returns once `hasRoom` does, which is asked again after each ``signal()``.
    func wait(until hasRoom: @Sendable () -> Bool) async {
        while !hasRoom() {
            await withCheckedContinuation { continuation in
                // Asked under the lock, so that a signal cannot slip in between.
                let mustWait = waiters.withLock { waiters in
                    if hasRoom() { return false }
                    waiters.append(continuation)
                    return true
                }
                if !mustWait { continuation.resume() }
            }
        }
    }

    func signal() {
        let resumed = waiters.withLock { waiters in
            defer { waiters = [] }
            return waiters
        }
        for waiter in resumed { waiter.resume() }
    }
}
