import Foundation

/// The checkout that the tests were built from.
struct Repository {
    /// A file with its lines.
    struct File {
        /// From the top of the repository: `Sources/Martlet/Events/Event.swift`.
        let path: String
        let lines: [String]

        /// The target's folder: `Martlet` for `Sources/Martlet/…`.
        var target: String { path.split(separator: "/").dropFirst().first.map(String.init) ?? "" }
    }

    static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    /// Every file under a folder whose name ends so, in a fixed order.
    static func files(under folder: String, suffix: String = ".swift") throws -> [File] {
        let base = root.appendingPathComponent(folder)
        guard let walker = FileManager.default.enumerator(at: base, includingPropertiesForKeys: nil) else { return [] }
        let prefix = root.path + "/"
        return try walker.compactMap { $0 as? URL }
            .filter { $0.lastPathComponent.hasSuffix(suffix) }
            .map { url in
                let text = try String(contentsOf: url, encoding: .utf8)
                let path = url.path.hasPrefix(prefix) ? String(url.path.dropFirst(prefix.count)) : url.path
                return File(path: path, lines: text.components(separatedBy: "\n"))
            }
            .sorted { $0.path < $1.path }
    }

    static func file(_ path: String) throws -> File {
        let text = try String(contentsOf: root.appendingPathComponent(path), encoding: .utf8)
        return File(path: path, lines: text.components(separatedBy: "\n"))
    }

    static var product: [File] {
        get throws { try files(under: "Sources") + files(under: "Plugins") }
    }
}
