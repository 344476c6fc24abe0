import Foundation
import Synchronization

/// Holds a database's thread until the test lets it go.
package final class TestGate: Sendable {
    private let released = DispatchSemaphore(value: 0)
    private let held: AsyncStream<Void>
    private let heldSignal: AsyncStream<Void>.Continuation

    package init() {
        (held, heldSignal) = AsyncStream.makeStream()
    }

    package func hold() {
        heldSignal.finish()
        released.wait()
    }

    package func isHeld() async {
        for await _ in held {}
    }

    package func release() {
        released.signal()
    }
}
