import Foundation
import Testing

/// The example config of a plugin's README.
enum ReadmeExample {
    /// The first block of JSON in `Plugins/<plugin>/README.md`.
    static func json(of plugin: String) throws -> String {
        let tests = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        let readme = tests.appendingPathComponent("../../Plugins/\(plugin)/README.md").standardized
        let text = try String(contentsOf: readme, encoding: .utf8)
        let start = try #require(text.range(of: "```json\n"), "\(readme.path) has no block of JSON")
        let end = try #require(text.range(of: "```", range: start.upperBound..<text.endIndex))
        return String(text[start.upperBound..<end.lowerBound])
    }
}
