/// A fixed number of event loops, each on its own thread.
package final class EventLoopGroup: Sendable {
    /// The loops; `loops[i].index` is `i`.
    package let loops: [EventLoop]

    /// Starts `count` loops (at least 1).
    package init(count: Int) throws(EventLoopError) {
        precondition(count >= 1, "an event loop group needs at least one loop")
        var loops: [EventLoop] = []
        for index in 0..<count {
            do throws(EventLoopError) {
                loops.append(try EventLoop(index: index))
            } catch {
                for loop in loops { loop.stop() }
                throw error
            }
        }
        self.loops = loops
    }

    /// Ends all threads and waits for them. Servers on these loops must have been stopped before.
    package func stop() {
        for loop in loops { loop.stop() }
    }
}
