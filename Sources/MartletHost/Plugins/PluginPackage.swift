import Martlet

/// A checkout of Martlet whose lists of plugins are edited: one line in `Package.swift`, an import and a registration for
/// each module in `StandardModules.swift`. Lines are added and taken away whole; everything else stays as it is.
struct PluginPackage {
    private static let manifest = "Package.swift"
    private static let list = "Sources/MartletHost/StandardModules.swift"
    private static let listBegins = "let plugins: [(name: String, libraries: [Target.Dependency])] = ["
    private static let registrationsEnd = "        return registry"

    let folder: String

    /// - Throws: if the folder is no checkout of Martlet.
    init(_ folder: String) throws(PluginError) {
        self.folder = folder
        let isPackage = (try? FileTree.read("\(folder)/\(Self.manifest)"))?.contains(Self.listBegins) == true
            && FileTree.exists("\(folder)/\(Self.list)")
        guard isPackage else {
            throw PluginError(
                "\(folder == "." ? "the current folder" : folder) is no checkout of Martlet: expected \(Self.manifest) with the list of plugins, "
                    + "and \(Self.list); go to the checkout, or name it with --package")
        }
    }

    /// The plugins' names, in the order of the list.
    func listed() throws(FileTree.Failure) -> [String] {
        try lines(Self.manifest).compactMap(Self.name)
    }

    /// Adds a plugin to both lists, in the order of the alphabet.
    func add(_ name: PluginName, registration: String) throws {
        var manifest = try lines(Self.manifest)
        guard let begin = manifest.firstIndex(of: Self.listBegins), let end = manifest[begin...].firstIndex(of: "]") else {
            throw PluginError("\(folder)/\(Self.manifest) has no list that begins with `\(Self.listBegins)` and ends with `]`")
        }
        let place = manifest[begin + 1..<end].firstIndex { Self.name($0).map { $0.lowercased() > name.text.lowercased() } ?? false }
        manifest.insert("    (\"\(name.text)\", []),", at: place ?? end)

        var modules = try lines(Self.list)
        guard let last = modules.lastIndex(where: { $0.hasPrefix("import ") }), modules.contains(Self.registrationsEnd) else {
            throw PluginError("\(folder)/\(Self.list) has no imports, or no line `return registry`")
        }
        let line = "import \(name.target)"
        let following = modules.firstIndex { $0.hasPrefix("import ") && $0.lowercased() > line.lowercased() }
        modules.insert(line, at: following ?? last + 1)
        modules.insert("        \(registration)", at: modules.lastIndex(of: Self.registrationsEnd) ?? modules.endIndex)
        try write(manifest, Self.manifest)
        try write(modules, Self.list)
    }

    /// Takes a plugin out of both lists.
    /// - Parameter types: the Swift types of its modules, whose registrations go too.
    func remove(_ name: PluginName, types: [String]) throws(FileTree.Failure) {
        let manifest = try lines(Self.manifest).filter { Self.name($0) != name.text }
        let modules = try lines(Self.list).filter { line in
            line != "import \(name.target)" && !types.contains { line.contains("try registry.register(") && line.contains(": \($0).self)") }
        }
        try write(manifest, Self.manifest)
        try write(modules, Self.list)
    }

    /// `("Bus", []),` in the list.
    private static func name(_ line: String) -> String? {
        guard line.hasPrefix("    (\""), line.contains("\", [") else { return nil }
        return String(line.dropFirst(6).prefix { $0 != "\"" })
    }

    private func lines(_ file: String) throws(FileTree.Failure) -> [String] {
        try FileTree.read("\(folder)/\(file)").split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    }

    private func write(_ lines: [String], _ file: String) throws(FileTree.Failure) {
        try FileTree.write(lines.joined(separator: "\n"), to: "\(folder)/\(file)")
    }
}
