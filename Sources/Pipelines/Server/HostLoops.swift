package import HTTPServer
import Martlet

/// The host's event loops as modules see them. Modules are made before the loops run, so that `martlet validate` starts
/// no thread; they use the loops only once they are opened.
package final class HostLoops: EventLoops, @unchecked Sendable {
    // Unchecked: `loops` is set once, by `start`, before any module is opened and so before anyone reads it.
    package private(set) var loops: [EventLoop] = []
    package let count: Int
    private var group: EventLoopGroup?

    package init(count: Int) {
        self.count = count
    }

    /// Starts the threads; called once, before modules are opened.
    package func start() throws {
        let group = try EventLoopGroup(count: count)
        self.group = group
        loops = group.loops
    }

    /// Ends the threads, once nothing uses them.
    package func stop() {
        group?.stop()
    }

    package func execute(on index: Int, _ work: @escaping @Sendable () -> Void) {
        loops[index].execute(work)
    }

    package func schedule(on index: Int, after delay: Duration, _ work: @escaping @Sendable () -> Void) {
        let loop = loops[index]
        loop.execute { _ = loop.schedule(after: delay, work) }
    }
}
