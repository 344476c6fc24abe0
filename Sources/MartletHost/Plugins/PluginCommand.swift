import Martlet

/// `martlet plugin`: makes, removes and builds plugins.
struct PluginCommand: Command {
    static let name = "plugin"
    static let summary = "Make, remove or build a plugin: modules of your own."
    static let usage = "new NAME --kind KIND | remove NAME [--force] | build DIR [--output FILE] [-- FLAGS...]"
    static let options: [CommandOption] = [
        .option("kind", "KIND", "For new: source, transform, sink, channel, database, pubsub or auth."),
        .option("package", "DIR", "For new and remove: the checkout of Martlet; the current folder by default."),
        .flag("force", "For remove: also if the files are not as `plugin new` made them."),
        .option("output", "FILE", "For build: the library; build/libNAME.so by default."),
        .option("sdk", "DIR", "For build: the folder of Martlet.swiftmodule; found beside the executable by default."),
    ]
    static let details = """
        `new` makes Plugins/NAME with a module that works, its README and a contract test in Tests/PluginTests/NAME, and adds
        the plugin to Package.swift and StandardModules.swift. `remove` is the reverse.

        `build` compiles the Swift files of a folder into a library, which a config loads with "plugins": ["build/libNAME.so"].
        It needs the compiler that built this martlet, and the SDK: Modules/Martlet.swiftmodule beside the executable, or
        lib/martlet/Modules beside its folder. What follows -- goes to swiftc.

        examples:
          martlet plugin new ChatAlert --kind sink
          martlet plugin build Plugins/ChatAlert
          martlet plugin build ../Audit --output build/libAudit.so -- -O
          martlet plugin remove ChatAlert
        """

    private enum Action {
        case new(PluginName, ModuleKind)
        case remove(PluginName)
        case build(String, flags: [String])
    }

    private let action: Action
    private let arguments: Arguments

    init(_ arguments: Arguments) throws {
        let words = arguments.positional
        switch (words.first, words.count) {
        case ("new", 2): action = .new(try PluginName(words[1]), try Self.kind(arguments))
        case ("remove", 2): action = .remove(try PluginName(words[1]))
        case ("build", 2...): action = .build(words[1], flags: Array(words.dropFirst(2)))
        default:
            let found = words.isEmpty ? "nothing" : "`\(words.joined(separator: " "))`"
            throw UsageError("expected `new NAME --kind KIND`, `remove NAME` or `build DIR`, found \(found)")
        }
        let verb = words.first ?? ""
        let belongs = ["kind": ["new"], "package": ["new", "remove"], "force": ["remove"], "output": ["build"], "sdk": ["build"]]
        for (option, verbs) in belongs.sorted(by: { $0.key < $1.key }) where arguments.has(option) && !verbs.contains(verb) {
            throw UsageError("--\(option) goes with `\(verbs.joined(separator: "` and `"))`")
        }
        self.arguments = arguments
    }

    private static func kind(_ arguments: Arguments) throws(UsageError) -> ModuleKind {
        let kinds = PluginScaffold.kinds.map(\.rawValue)
        guard let text = arguments.value("kind") else { throw UsageError("say which kind: --kind \(kinds.joined(separator: ", "))") }
        if text == ModuleKind.log.rawValue {
            throw UsageError("`plugin new` makes no log; conform a type to `SharedLog`, and register it with `register(log:)`")
        }
        guard let kind = PluginScaffold.kinds.first(where: { $0.rawValue == text }) else {
            let guess = Suggestion.question(for: text, among: kinds) { $0 }
            throw UsageError("--kind must be one of \(kinds.joined(separator: ", ")), found \(text)\(guess)")
        }
        return kind
    }

    func run() async throws -> ExitCode {
        switch action {
        case .new(let name, let kind): try make(name, kind)
        case .remove(let name): try remove(name)
        case .build(let folder, let flags):
            let build = try PluginBuild(folder: folder, output: arguments.value("output"), sdk: arguments.value("sdk"), flags: flags)
            let warnings = try build.run()
            if !warnings.isEmpty { Terminal.printError("the compiler says:\n\(warnings)") }
            Terminal.print(build.report)
        }
        return .done
    }

    private func make(_ name: PluginName, _ kind: ModuleKind) throws {
        let package = try PluginPackage(arguments.value("package") ?? ".")
        try name.checkIsFree(kind, among: ModuleList(try StandardModules.registry()))
        let listed = try package.listed().contains { $0.lowercased() == name.text.lowercased() }
        if let folder = PluginScaffold.folders(of: name).first(where: { FileTree.exists("\(package.folder)/\($0)") }) {
            throw PluginError("\(folder) exists already; `martlet plugin remove \(name.text)` removes it")
        }
        if listed { throw PluginError("Package.swift lists a plugin \(name.text) already; take it out of the list, or choose another name") }
        let scaffold = PluginScaffold(name, kind)
        try package.add(name, registration: scaffold.registration)
        for file in scaffold.files {
            let path = "\(package.folder)/\(file.path)"
            try FileTree.makeFolder(String(path[..<(path.lastIndex(of: "/") ?? path.endIndex)]))
            try FileTree.write(file.text, to: path)
        }
        let typeName = name.typeName(kind)
        Terminal.print("""
            made    \(scaffold.files.map(\.path).joined(separator: "\n        "))
            edited  Package.swift
                    Sources/MartletHost/StandardModules.swift

            The \(kind.rawValue) is `"type": "\(name.type)"`. Compile it into martlet and test it:
              swift build
              swift test --filter \(typeName)Tests
            or, with this martlet as it is, make a library of it, to load with "plugins": ["build/lib\(name.text).so"]:
              martlet plugin build Plugins/\(name.text)
            """)
    }

    private func remove(_ name: PluginName) throws {
        let package = try PluginPackage(arguments.value("package") ?? ".")
        let folders = PluginScaffold.folders(of: name).filter { FileTree.exists("\(package.folder)/\($0)") }
        guard try !folders.isEmpty || package.listed().contains(name.text) else {
            let guess = Suggestion.question(for: name.text, among: try package.listed()) { $0 }
            throw PluginError("there is no plugin \(name.text)\(guess)")
        }
        if !arguments.has("force"), try !isUntouched(name, folders, in: package) {
            throw PluginError(
                "\(folders.joined(separator: " and ")) would be lost, and \(folders.count == 1 ? "is" : "are") not as `plugin new` made them; "
                    + "add --force to remove \(folders.count == 1 ? "it" : "them")")
        }
        let types = try ModuleScan.types(in: "\(package.folder)/Plugins/\(name.text)").map(\.name)
        try package.remove(name, types: types)
        for folder in folders { try FileTree.remove("\(package.folder)/\(folder)") }
        Terminal.print("removed \(folders.joined(separator: "\n        "))\nedited  Package.swift\n        Sources/MartletHost/StandardModules.swift")
    }

    /// Whether the plugin's folders hold exactly what `plugin new` wrote, for whichever kind.
    private func isUntouched(_ name: PluginName, _ folders: [String], in package: PluginPackage) throws -> Bool {
        var found: [String: String] = [:]
        for folder in folders {
            for file in try FileTree.files(in: "\(package.folder)/\(folder)") {
                found["\(folder)/\(file)"] = try FileTree.read("\(package.folder)/\(folder)/\(file)")
            }
        }
        return PluginScaffold.kinds.contains { kind in
            Dictionary(uniqueKeysWithValues: PluginScaffold(name, kind).files.map { ($0.path, $0.text) }) == found
        }
    }
}
