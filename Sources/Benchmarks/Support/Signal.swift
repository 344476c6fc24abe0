import CLinux

/// Wakes one waiting thread. Who raises it makes sure that it is raised once for each wait.
final class Signal: @unchecked Sendable {
    // Unchecked: a semaphore is made to be shared, and its memory stays where it is.
    private let semaphore = UnsafeMutablePointer<sem_t>.allocate(capacity: 1)

    init() {
        sem_init(semaphore, 0, 0)
    }

    deinit {
        sem_destroy(semaphore)
        semaphore.deallocate()
    }

    func raise() {
        sem_post(semaphore)
    }

    /// Waits until it is raised; false if the time is over.
    func wait(atMost seconds: Int32) -> Bool {
        clinux_wait_semaphore(semaphore, seconds)
    }
}
