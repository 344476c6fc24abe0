import Glibc

/// A counting semaphore (sem_overview(7)), for threads that may block.
package final class ThreadSemaphore: @unchecked Sendable {
    // Unchecked: sem_wait and sem_post are thread-safe; the memory lives as long as the object.
    private let memory = UnsafeMutablePointer<sem_t>.allocate(capacity: 1)

    package init() {
        sem_init(memory, 0, 0)
    }

    deinit {
        sem_destroy(memory)
        memory.deallocate()
    }

    /// Wakes one waiting thread, or lets the next one through.
    package func signal() {
        sem_post(memory)
    }

    /// Blocks the thread until there is a signal for it.
    package func wait() {
        while sem_wait(memory) != 0 && errno == EINTR {}
    }
}
