import Foundation
import TestSupport

/// The Swift compiler, with the package's settings and the modules that the tests were built with.
enum Compiler {
    /// The folder with the test's own executable.
    static let build = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent().path
    /// The checkout that the tests were built from.
    static let package = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent().path

    /// What SwiftPM calls the package: the checkout's folder, as an identifier.
    private static let packageName = String(
        URL(fileURLWithPath: package).lastPathComponent.lowercased().map { $0.isLetter || $0.isNumber ? $0 : "_" })

    private static let settings = [
        "-parse-as-library", "-package-name", packageName, "-swift-version", "6", "-enable-upcoming-feature", "ExistentialAny",
        "-enable-upcoming-feature", "MemberImportVisibility", "-enable-upcoming-feature", "InternalImportsByDefault", "-warnings-as-errors",
        "-I", build + "/Modules",
    ]

    /// Compiles a plugin's module alone, so that tests can import it.
    static func emitModule(_ name: String, of files: [String], into folder: String) async throws -> (code: Int32, output: String) {
        try await run(["-emit-module", "-module-name", name, "-emit-module-path", "\(folder)/\(name).swiftmodule"] + settings + files)
    }

    /// Type-checks files of the target PluginTests.
    /// - Parameter modules: a folder with more modules.
    static func checkTests(_ files: [String], modules: String) async throws -> (code: Int32, output: String) {
        var flags = ["-typecheck", "-I", modules]
        for name in try FileManager.default.contentsOfDirectory(atPath: package + "/Sources") where name.hasPrefix("C") {
            let made = "\(build)/\(name).build/module.modulemap"
            flags += FileManager.default.fileExists(atPath: made) ? ["-Xcc", "-fmodule-map-file=\(made)"] : ["-I", "\(package)/Sources/\(name)"]
        }
        let toolchain = try await run(["-print-target-info"])
        let info = try JSONSerialization.jsonObject(with: Data(toolchain.output.utf8)) as? [String: Any]
        let resources = (info?["paths"] as? [String: Any])?["runtimeResourcePath"] as? String ?? ""
        return try await run(flags + ["-plugin-path", resources + "/host/plugins/testing"] + settings + files)
    }

    private static func run(_ arguments: [String]) async throws -> (code: Int32, output: String) {
        try await onThread {
            // The compiler leaves folders behind where its temporary files go.
            let folder = try TemporaryFolder()
            return try Program.run("swiftc", arguments, environment: ["TMPDIR": folder.path])
        }
    }
}
