/// One piece of work that an event loop runs later.
///
/// `@unchecked Sendable`: confined to its loop's thread, which `cancel` checks.
package final class LoopTimer: DeadlineOwner, @unchecked Sendable {
    private let loop: EventLoop
    private var work: (() -> Void)?
    private var slot = -1

    init(loop: EventLoop, work: @escaping () -> Void) {
        self.loop = loop
        self.work = work
    }

    func start(atMs ms: UInt64) {
        slot = loop.addDeadline(for: self)
        loop.setDeadline(slot, atMs: ms)
    }

    func deadlineReached() {
        guard let work else { return }
        cancel()
        work()
    }

    /// Prevents the work from running; no effect once it ran.
    package func cancel() {
        loop.preconditionOnLoop()
        guard work != nil else { return }
        work = nil
        loop.removeDeadline(slot)
    }
}
