/// Why a plugin's library cannot be used.
struct PluginFailure: Error {
    let code: String
    let message: String
    let hint: String?

    private static let build = "martlet plugin build DIR, with the martlet that will load it"

    private init(_ code: String, _ message: String, hint: String? = build) {
        self.code = code
        self.message = message
        self.hint = hint
    }

    static func unreadable(_ reason: String) -> Self {
        Self("plugin.unreadable", "the plugin cannot be read: \(reason)", hint: "martlet plugin build DIR makes it; the path starts at the config file's folder")
    }

    static let notALibrary = Self("plugin.not_a_library", "this file is no shared library")

    static let damaged = Self("plugin.damaged", "the library is cut short or damaged")

    static func wrongArchitecture(_ found: String, own: String) -> Self {
        Self("plugin.wrong_architecture", "the plugin is built for \(found), and this host runs on \(own)")
    }

    static let noEntryPoint = Self("plugin.no_entry_point", "the library has no Martlet entry point; `martlet plugin build` makes one")

    static func wrongCompiler(_ found: String, own: String) -> Self {
        Self("plugin.wrong_compiler", "the plugin was compiled by \(found), and this host by Swift \(own)")
    }

    static func wrongSDK(_ found: String, own: String) -> Self {
        Self("plugin.wrong_sdk", "the plugin was compiled against another SDK (\(found)) than this host has (\(own))")
    }

    static let hostWithoutSDK = Self(
        "plugin.host_without_sdk", "this host exports no SDK, so that it can load no plugin", hint: "link it with --export-dynamic, as Package.swift does")

    static func notLoadable(_ reason: String) -> Self {
        Self("plugin.not_loadable", "the plugin cannot be loaded: \(reason)", hint: "libraries that it needs must be installed")
    }

    static func notRegistered(_ reason: String) -> Self {
        Self("plugin.not_registered", reason, hint: "a plugin that this host has compiled in, or that is listed twice, cannot be loaded again")
    }
}
