import CLinux

/// Wakes one waiting thread; raises while nobody waits are kept as one.
final class Signal: Sendable {
    private let descriptor: Int32

    init() {
        descriptor = clinux_event_create()
        precondition(descriptor >= 0, "no descriptor left for an eventfd")
    }

    deinit {
        close(descriptor)
    }

    func raise() {
        var one: UInt64 = 1
        _ = write(descriptor, &one, 8)
    }

    /// Waits until it is raised; false if the time is over.
    func wait(atMost seconds: Int32) -> Bool {
        guard clinux_wait_readable(descriptor, seconds * 1000) else { return false }
        var count: UInt64 = 0
        _ = read(descriptor, &count, 8)
        return true
    }
}
