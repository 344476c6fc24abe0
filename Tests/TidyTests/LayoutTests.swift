import Foundation
import Testing

/// What lies where.
@Suite struct LayoutTests {
    @Test func thePackageHasNoDependencies() throws {
        let manifest = try Repository.file("Package.swift")
        #expect(!manifest.lines.contains { $0.contains(".package(") })
    }

    @Test func theTopLevelIsTheUsersOwn() throws {
        let allowed: Set<String> = ["Package.swift", "Sources", "Tests", "Plugins", "config.json", "README.md", "scripts"]
        // A build and a run leave these behind; none of them is committed.
        let leftovers: Set<String> = ["Package.resolved", "build", "data"]
        let found = try FileManager.default.contentsOfDirectory(atPath: Repository.root.path)
        let extra = found.filter { !$0.hasPrefix(".") && !allowed.contains($0) && !leftovers.contains($0) }
        #expect(extra.isEmpty, "\(extra)")
    }

    /// `("Bus", []),` in the list of plugins.
    private func listedPlugins() throws -> [String] {
        try Repository.file("Package.swift").lines.compactMap { line in
            let text = line.trimmingCharacters(in: .whitespaces)
            guard text.hasPrefix("(\""), text.contains("\", [") else { return nil }
            return String(text.dropFirst(2).prefix { $0 != "\"" })
        }
    }

    @Test func eachPluginFolderIsListedAndHasAReadme() throws {
        let folder = Repository.root.appendingPathComponent("Plugins").path
        let folders = try FileManager.default.contentsOfDirectory(atPath: folder).sorted()
        let listed = try listedPlugins().sorted()
        #expect(listed == folders)
        for name in folders {
            let readme = try Repository.file("Plugins/\(name)/README.md")
            #expect(readme.lines.contains("```json"), "Plugins/\(name)/README.md shows no config")
        }
    }

    @Test func standardModulesImportsEachPlugin() throws {
        let modules = try Repository.file("Sources/MartletHost/StandardModules.swift")
        let imported = modules.lines.filter { $0.hasPrefix("import ") && $0.hasSuffix("Plugin") }
            .map { String($0.dropFirst("import ".count).dropLast("Plugin".count)) }
        let listed = try listedPlugins().sorted()
        #expect(imported.sorted() == listed)
    }

    @Test func aSystemLibraryIsAModuleMapAndAShim() throws {
        for name in try FileManager.default.contentsOfDirectory(atPath: Repository.root.appendingPathComponent("Sources").path) {
            let folder = Repository.root.appendingPathComponent("Sources/\(name)").path
            guard name.hasPrefix("C"), FileManager.default.fileExists(atPath: folder + "/module.modulemap") else { continue }
            let files = try FileManager.default.contentsOfDirectory(atPath: folder).sorted()
            #expect(files == ["module.modulemap", "shim.h"])
        }
    }
}
