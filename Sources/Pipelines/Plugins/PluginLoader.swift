import Glibc
package import Martlet
import Synchronization

/// Loads the libraries that the config names under `plugins`, and registers their modules. A library that does not fit
/// this host is a problem of the config: it is looked at from outside, before any of its code runs.
///
/// What was loaded stays loaded as long as the process: a changed file waits for the next start.
package final class PluginLoader: Sendable {
    /// The C symbol of a plugin's entry point: it gets a pointer to a `ModuleRegistry` to fill, and one to a
    /// `RegistrationError?` to set if that fails.
    package static let entrySymbol = "martlet_plugin_register"
    private typealias Entry = @convention(c) (UnsafeMutableRawPointer, UnsafeMutableRawPointer) -> Void

    private let entries = Mutex<[String: Entry]>([:])

    package init() {}

    /// The registry with the modules of the plugins, in their order; problems are reported at their places in the config.
    ///
    /// - Parameter resolve: a path of the config as the process can open it.
    package func registry(
        _ registry: ModuleRegistry, adding plugins: [ConfigText], resolve: (String) -> String, problems: ConfigProblems
    ) -> ModuleRegistry {
        var registry = registry
        for plugin in plugins {
            let path = resolve(plugin.plain)
            do throws(PluginFailure) {
                let entry = try entry(path)
                try Self.register(entry, &registry)
            } catch {
                problems.report(
                    ConfigProblem.Code(rawValue: error.code), at: plugin.place, error.message, found: "`\(plugin.plain)`", hint: error.hint)
            }
        }
        return registry
    }

    private func entry(_ path: String) throws(PluginFailure) -> Entry {
        if let known = entries.withLock({ $0[path] }) { return known }
        try Self.check(path)
        // `dlopen` looks for a name without a slash in the system's folders.
        guard let handle = dlopen(path.contains("/") ? path : "./" + path, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE) else {
            throw .notLoadable(dlerror().map { String(cString: $0) } ?? "dlopen failed")
        }
        guard let symbol = dlsym(handle, Self.entrySymbol) else { throw .noEntryPoint }
        let entry = unsafeBitCast(symbol, to: Entry.self)
        entries.withLock { $0[path] = entry }
        return entry
    }

    /// Looks at the file without running anything of it.
    private static func check(_ path: String) throws(PluginFailure) {
        let file: ELFFile
        do throws(ELFFile.Failure) {
            file = try ELFFile(path: path)
        } catch {
            switch error {
            case .unreadable(let reason): throw .unreadable(reason)
            case .notELF: throw .notALibrary
            }
        }
        guard file.type == ELFFile.sharedObject else { throw .notALibrary }
        let own = machine
        guard file.machine == own else {
            throw .wrongArchitecture(ELFFile.name(ofMachine: file.machine), own: ELFFile.name(ofMachine: own))
        }
        guard file.isComplete else { throw .damaged }
        guard let label = PluginLabel.find(in: file) else { throw .noEntryPoint }
        guard label.compiler.contains("Swift version \(SDKFingerprint.compiler)") else {
            throw .wrongCompiler(label.compiler, own: SDKFingerprint.compiler)
        }
        guard let own = SDKFingerprint.current else { throw .hostWithoutSDK }
        guard label.fingerprint == own else { throw .wrongSDK(label.fingerprint, own: own) }
    }

    private static var machine: UInt16 {
        #if arch(x86_64)
        0x3E
        #elseif arch(arm64)
        0xB7
        #elseif arch(riscv64)
        0xF3
        #else
        0
        #endif
    }

    private static func register(_ entry: Entry, _ registry: inout ModuleRegistry) throws(PluginFailure) {
        var filled = registry
        var failure: RegistrationError?
        withUnsafeMutablePointer(to: &filled) { registry in
            withUnsafeMutablePointer(to: &failure) { failure in entry(registry, failure) }
        }
        if let failure { throw .notRegistered(failure.description) }
        registry = filled
    }
}
