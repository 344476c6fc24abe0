import Foundation
import TestSupport

/// The part of a checkout that `martlet plugin` edits.
struct PluginFolder {
    static let lists = ["Package.swift", "Sources/MartletHost/StandardModules.swift"]
    let folder: TemporaryFolder

    init() throws {
        folder = try TemporaryFolder()
        for file in Self.lists {
            let target = folder[file]
            try FileManager.default.createDirectory(
                atPath: URL(fileURLWithPath: target).deletingLastPathComponent().path, withIntermediateDirectories: true)
            try FileManager.default.copyItem(atPath: "\(Compiler.package)/\(file)", toPath: target)
        }
    }

    /// Every file with its text.
    func snapshot() throws -> [String: String] {
        var files: [String: String] = [:]
        for case let name as String in FileManager.default.enumerator(atPath: folder.path) ?? .init() {
            var isFolder: ObjCBool = false
            _ = FileManager.default.fileExists(atPath: folder[name], isDirectory: &isFolder)
            if !isFolder.boolValue, !name.hasPrefix("out-"), !name.hasPrefix("err-") { files[name] = folder.read(name) }
        }
        return files
    }

    func plugin(_ arguments: String...) async throws -> CommandRun {
        try await CommandRun(["plugin"] + arguments, in: folder)
    }
}
