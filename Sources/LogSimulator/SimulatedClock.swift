import EmbeddedLog
import Synchronization

/// A clock that stands still between the steps of a history.
package final class SimulatedClock: LogClock {
    private let time = Atomic<Int64>(1_700_000_000_000)

    package init() {}

    package func now() -> Int64 { time.load(ordering: .relaxed) }

    /// Steps forwards or backwards.
    package func step(milliseconds: Int64) { time.wrappingAdd(milliseconds, ordering: .relaxed) }
}
