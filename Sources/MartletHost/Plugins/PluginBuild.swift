import Glibc
import Martlet
import Pipelines

/// Compiles the Swift files of a folder into a library that a host can load.
struct PluginBuild {
    /// As in `Package.swift`, but for warnings, which are printed.
    static let settings = [
        "-swift-version", "6", "-enable-upcoming-feature", "ExistentialAny", "-enable-upcoming-feature", "MemberImportVisibility",
        "-enable-upcoming-feature", "InternalImportsByDefault",
    ]

    private let folder: String
    private let name: String
    private let output: String
    private let sources: [String]
    private let modules: [ModuleScan.ModuleType]
    private let sdk: SDKLocation
    private let flags: [String]

    init(folder: String, output: String?, sdk: String?, flags: [String]) throws {
        guard FileTree.isFolder(folder) else { throw PluginError("\(folder) is no folder; name the folder with the plugin's Swift files") }
        self.folder = folder
        let absolute = realpath(folder, nil).map { path in
            defer { free(path) }
            return String(cString: path)
        } ?? folder
        let base = absolute.split(separator: "/").last.map(String.init) ?? "Plugin"
        name = String(base.map { $0.isASCII && ($0.isLetter || $0.isNumber) ? $0 : "_" })
        self.output = output ?? "build/lib\(name).so"
        sources = try ModuleScan.files(in: folder)
        guard !sources.isEmpty else { throw PluginError("there is no Swift file in \(folder)") }
        modules = try ModuleScan.types(in: folder)
        guard !modules.isEmpty else {
            throw PluginError(
                "no module in \(folder): expected a type such as `public final class \(name)Sink: Sink` (or EventSource, Transform, "
                    + "DeliveryChannel, Database, PubSub, Authenticator), declared at the left margin")
        }
        self.sdk = try SDKLocation(sdk)
        self.flags = flags
    }

    /// What was built and how it is used.
    var report: String {
        let list = modules.map { "\($0.kind.rawValue) \($0.name)" }.joined(separator: ", ")
        return "built \(output): \(list)\nload it with \"plugins\": [\(JSONText.quoted(output))] in the config (relative to the config file)"
    }

    /// - Returns: what the compiler said, if it succeeded.
    func run() throws -> String {
        guard let fingerprint = SDKFingerprint.current else {
            throw PluginError("this martlet exports no SDK, so that it can load no plugin; link it with --export-dynamic, as Package.swift does")
        }
        // The compiler leaves folders behind where its temporary files go.
        let scratch = try FileTree.temporaryFolder()
        defer { try? FileTree.remove(scratch) }
        guard let version = try Tool.run(["swiftc", "--version"], temporaryFolder: scratch), version.code == 0 else {
            throw PluginError("there is no Swift compiler: `swiftc` is not in PATH")
        }
        let compiler = version.output.split(separator: "\n").first { $0.contains("Swift version") }.map(String.init) ?? "unknown"
        guard compiler.contains("Swift version \(SDKFingerprint.compiler)") else {
            throw PluginError("swiftc is \(compiler), and this martlet was built by Swift \(SDKFingerprint.compiler); put that one first in PATH")
        }
        let label = PluginLabel(fingerprint: fingerprint, compiler: compiler, name: name)
        try FileTree.write(entry(label), to: "\(scratch)/MartletPluginEntry.swift")
        if let slash = output.lastIndex(of: "/") { try FileTree.makeFolder(String(output[..<slash])) }
        let library = "\(output).new"
        let words = ["swiftc", "-emit-library", "-module-name", "\(name)Plugin", "-I", sdk.folder, "-Xlinker", "-Bsymbolic", "-o", library]
            + Self.settings + flags + sources.map { "\(folder)/\($0)" } + ["\(scratch)/MartletPluginEntry.swift"]
        guard let result = try Tool.run(words, temporaryFolder: scratch) else { throw PluginError("there is no Swift compiler: `swiftc` is not in PATH") }
        guard result.code == 0 else {
            try? FileTree.remove(library)
            throw PluginError("\(folder) does not compile:\n\(result.output)")
        }
        // A library that a host has loaded must not be written over: it gets a new file.
        guard rename(library, output) == 0 else { throw FileTree.Failure("write", output) }
        return result.output
    }

    /// The entry point, and the label that the host reads before it calls it.
    private func entry(_ label: PluginLabel) -> String {
        let registrations = modules.map { module in
            "    try modules.register(\(module.kind.registrationLabel): \(module.name).self)"
        }
        return """
            import Martlet

            @_cdecl("\(PluginLoader.entrySymbol)")
            public func martletPluginRegister(_ registry: UnsafeMutableRawPointer, _ failure: UnsafeMutableRawPointer) {
                do throws(RegistrationError) {
                    try register(&registry.assumingMemoryBound(to: ModuleRegistry.self).pointee)
                } catch {
                    failure.assumingMemoryBound(to: RegistrationError?.self).pointee = error
                }
            }

            private func register(_ modules: inout ModuleRegistry) throws(RegistrationError) {
            \(registrations.joined(separator: "\n"))
            }

            @_cdecl("martlet_plugin_label")
            public func martletPluginLabel() -> UnsafePointer<UInt8> {
                let label: StaticString = \(Self.literal(label.text))
                return label.utf8Start
            }

            """
    }

    private static func literal(_ text: String) -> String {
        let escaped = text.flatMap { character -> [Character] in
            switch character {
            case "\n": Array("\\n")
            case "\"", "\\": ["\\", character]
            default: [character]
            }
        }
        return "\"\(String(escaped))\""
    }
}
