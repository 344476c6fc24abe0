import Foundation

/// A folder of its own for one host, removed with it unless MARTLET_KEEP_FOLDERS is set.
final class TestFolder: Sendable {
    let path: String

    init() throws {
        path = NSTemporaryDirectory() + "martlet-e2e-\(UUID().uuidString.prefix(8))"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit {
        if ProcessInfo.processInfo.environment["MARTLET_KEEP_FOLDERS"] == nil {
            try? FileManager.default.removeItem(atPath: path)
        }
    }

    /// The path of something in the folder.
    subscript(_ name: String) -> String { path + "/" + name }

    func write(_ text: String, to name: String) throws {
        try text.write(toFile: self[name], atomically: true, encoding: .utf8)
    }
}
