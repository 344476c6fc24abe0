import Synchronization

/// Lines that something has written or logged, from any thread.
package final class Lines: Sendable {
    private let lines = Mutex<[String]>([])

    package init() {}

    package var all: [String] { lines.withLock { $0 } }

    package func append(_ line: String) {
        lines.withLock { $0.append(line) }
    }

    /// How many of them contain a text.
    package func count(of text: String) -> Int {
        all.count { $0.contains(text) }
    }
}
