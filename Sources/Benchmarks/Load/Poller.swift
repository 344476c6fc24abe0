import CLinux

/// An epoll descriptor with one timer. Descriptors are known by numbers.
final class Poller {
    /// The number of the timer.
    static let timer = UInt32.max
    private static let capacity = 256

    let descriptor: Int32
    private let timerDescriptor: Int32
    private let numbers = UnsafeMutablePointer<UInt32>.allocate(capacity: Poller.capacity)
    private let events = UnsafeMutablePointer<UInt32>.allocate(capacity: Poller.capacity)

    init() throws(BenchmarkError) {
        descriptor = clinux_epoll_create()
        timerDescriptor = clinux_timer_create()
        guard descriptor >= 0, timerDescriptor >= 0 else { throw .system("make an epoll descriptor") }
        clinux_epoll_control(descriptor, EPOLL_CTL_ADD, timerDescriptor, EPOLLIN.rawValue | EPOLLET.rawValue, Self.timer)
    }

    deinit {
        close(descriptor)
        close(timerDescriptor)
        numbers.deallocate()
        events.deallocate()
    }

    func add(_ socket: Int32, _ number: UInt32) {
        clinux_epoll_control(descriptor, EPOLL_CTL_ADD, socket, EPOLLIN.rawValue, number)
    }

    /// Reports only what comes from now on, so that the system looks at it once: whoever is told reads all there is.
    func addEdgeTriggered(_ socket: Int32, _ number: UInt32) {
        clinux_epoll_control(descriptor, EPOLL_CTL_ADD, socket, EPOLLIN.rawValue | EPOLLET.rawValue, number)
    }

    /// Also reports when the socket takes bytes again, or not any more.
    func awaitRoom(_ socket: Int32, _ number: UInt32, _ wanted: Bool) {
        let events = EPOLLIN.rawValue | (wanted ? EPOLLOUT.rawValue : 0)
        clinux_epoll_control(descriptor, EPOLL_CTL_MOD, socket, events, number)
    }

    func remove(_ socket: Int32) {
        clinux_epoll_control(descriptor, EPOLL_CTL_DEL, socket, 0, 0)
    }

    /// Ends a wait at this time of the monotonic clock.
    func setTimer(_ deadline: Int64) {
        clinux_timer_set(timerDescriptor, deadline)
    }

    /// Waits at most `timeoutMs` and calls `body` with each number that is ready, and whether it takes bytes.
    @inline(__always)
    func wait(timeoutMs: Int32, _ body: (UInt32, Bool) throws(BenchmarkError) -> Void) throws(BenchmarkError) {
        let count = clinux_epoll_wait(descriptor, numbers, events, timeoutMs)
        var index = 0
        while index < Int(count) {
            try body(numbers[index], events[index] & EPOLLOUT.rawValue != 0)
            index += 1
        }
    }
}
