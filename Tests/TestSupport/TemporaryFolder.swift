import Foundation
import Glibc
import Synchronization

/// A folder of its own for one test, removed with it, or when the test process ends, unless MARTLET_KEEP_FOLDERS is set.
package final class TemporaryFolder: Sendable {
    package let path: String

    /// Those that are there. What belongs to the whole process, such as a static one, is never released.
    private static let paths = Mutex<Set<String>>([])
    private static let isRemovedAtExit = ProcessInfo.processInfo.environment["MARTLET_KEEP_FOLDERS"] == nil && atexit { removeAll() } == 0

    package init() throws {
        path = FileManager.default.temporaryDirectory.path + "/martlet-test-\(UUID().uuidString.prefix(13))"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        if Self.isRemovedAtExit { Self.paths.withLock { _ = $0.insert(path) } }
    }

    deinit {
        if Self.paths.withLock({ $0.remove(path) }) != nil { try? FileManager.default.removeItem(atPath: path) }
    }

    private static func removeAll() {
        for path in paths.withLock({ $0 }) { try? FileManager.default.removeItem(atPath: path) }
    }

    /// The path of something in the folder.
    package subscript(_ name: String) -> String { path + "/" + name }

    package func write(_ text: String, to name: String) throws {
        try text.write(toFile: self[name], atomically: true, encoding: .utf8)
    }

    /// The text of a file; empty if there is none.
    package func read(_ name: String) -> String {
        (try? Data(contentsOf: URL(fileURLWithPath: self[name]))).map { String(decoding: $0, as: UTF8.self) } ?? ""
    }
}
