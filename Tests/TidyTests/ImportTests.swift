import Testing

/// Imports go one way: `C*` ← `Martlet` ← {`EmbeddedLog`, `HTTPServer`, plugins} ← `Pipelines` ← `MartletHost`.
@Suite struct ImportTests {
    private static let system: Set<String> = ["Dispatch", "Glibc", "Synchronization", "Foundation", "FoundationEssentials"]

    private static let allowed: [String: Set<String>] = [
        "Martlet": ["Glibc", "Synchronization"],
        "EmbeddedLog": ["Glibc", "Synchronization", "CCRC32C", "CLinux", "CLZ4", "CZstd"],
        "HTTPServer": ["Synchronization", "CEvent"],
        "Benchmarks": ["Synchronization", "CLinux", "CPQ", "CSQLite", "Martlet", "EmbeddedLog", "HTTPServer"],
        "Pipelines": ["Dispatch", "Glibc", "Synchronization", "Martlet", "EmbeddedLog", "HTTPServer", "CCrypto", "CCurl", "CSimdjson", "CValijson"],
        "MartletTesting": ["Glibc", "Synchronization", "Martlet", "Foundation"],
    ]

    private func imports(_ file: Repository.File) -> [String] {
        file.lines.compactMap { line in
            let words = line.split(separator: " ").map(String.init)
            guard let index = words.firstIndex(of: "import"), index <= 2, index + 1 < words.count,
                words[..<index].allSatisfy({ $0.hasPrefix("@") || ["public", "package", "internal", "private"].contains($0) })
            else { return nil }
            return words[index + 1].split(separator: ".").first.map(String.init)
        }
    }

    @Test func importsGoOneWay() throws {
        var wrong: [String] = []
        for file in try Repository.files(under: "Sources") {
            guard let allowed = Self.allowed[file.target] else { continue }
            for name in imports(file) where !allowed.contains(name) { wrong.append("\(file.path) imports \(name)") }
        }
        #expect(wrong.isEmpty, "\(wrong.joined(separator: "\n"))")
    }

    @Test func aPluginImportsTheSDKAndItsOwnLibraries() throws {
        var wrong: [String] = []
        for file in try Repository.files(under: "Plugins") {
            for name in imports(file) where name != "Martlet" && !Self.system.contains(name) && !name.hasPrefix("C") {
                wrong.append("\(file.path) imports \(name)")
            }
        }
        #expect(wrong.isEmpty, "\(wrong.joined(separator: "\n"))")
    }

    @Test func onlyTheHostImportsPlugins() throws {
        let wrong = try Repository.files(under: "Sources").filter { file in
            file.target != "MartletHost" && imports(file).contains { $0.hasSuffix("Plugin") }
        }
        #expect(wrong.isEmpty, "\(wrong.map(\.path))")
    }
}
