import Martlet
import Pipelines

/// The modules of this build, and those that a config loads.
enum ConfiguredModules {
    /// With the plugins of the config that `--config` names; without it, of `config.json` in the current folder if there is
    /// one. The rest of the config may be as it is.
    ///
    /// - Throws: ``ConfigError`` if the config cannot be read, or a plugin cannot be loaded.
    static func registry(_ arguments: Arguments) throws -> ModuleRegistry {
        let standard = try StandardModules.registry()
        let given = arguments.value("config")
        let path = given ?? "config.json"
        if given == nil, !FileTree.exists(path) { return standard }
        let (loaded, problems) = LoadedConfig.load(path: path, overrides: [])
        guard let loaded else {
            try problems.throwIfAny()
            return standard
        }
        let ofPlugins = ConfigProblems(file: path)
        let registry = PluginLoader().registry(standard, adding: loaded.config.plugins, resolve: loaded.path, problems: ofPlugins)
        try ofPlugins.throwIfAny()
        return registry
    }
}
