import Foundation

/// A folder of its own for one test, removed with it, unless MARTLET_KEEP_FOLDERS is set.
package final class TemporaryFolder: Sendable {
    package let path: String

    package init() throws {
        path = FileManager.default.temporaryDirectory.path + "/martlet-test-\(UUID().uuidString.prefix(13))"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit {
        if ProcessInfo.processInfo.environment["MARTLET_KEEP_FOLDERS"] == nil {
            try? FileManager.default.removeItem(atPath: path)
        }
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
