import Foundation
import Synchronization

/// Holds a database's thread until the test lets it go.
final class TestGate: Sendable {
    private let released = DispatchSemaphore(value: 0)
    private let held: AsyncStream<Void>
    private let heldSignal: AsyncStream<Void>.Continuation

    init() {
        (held, heldSignal) = AsyncStream.makeStream()
    }

    func hold() {
        heldSignal.finish()
        released.wait()
    }

    func isHeld() async {
        for await _ in held {}
    }

    func release() {
        released.signal()
    }
}
