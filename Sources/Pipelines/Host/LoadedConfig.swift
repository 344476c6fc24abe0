package import Martlet

/// A config file read, substituted and decoded; it may have problems.
package struct LoadedConfig: Sendable {
    package let root: JSONNode
    package let config: PipelineConfig
    package let problems: ConfigProblems
    /// The folder that relative paths in the config start from; empty for the current one.
    package let baseDirectory: String

    /// Reads a config file.
    ///
    /// - Parameters:
    ///   - path: the file.
    ///   - overrides: `--set` options, such as `host.listen=127.0.0.1:9000`.
    ///   - environment: where `${env:NAME}` looks.
    /// - Returns: nil for the config if the file cannot be read as a JSON object at all; the problems say why.
    package static func load(
        path: String, overrides: [String], environment: @escaping ConfigSource.Environment = ConfigSource.processEnvironment
    ) -> (LoadedConfig?, ConfigProblems) {
        let source = ConfigSource.load(path: path, overrides: overrides, environment: environment)
        guard let root = source.root,
            let config = PipelineConfig.decodePartially(root, path: .root, problems: source.problems)
        else { return (nil, source.problems) }
        let slash = path.lastIndex(of: "/")
        let loaded = LoadedConfig(
            root: root, config: config, problems: source.problems,
            baseDirectory: slash.map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? "")
        return (loaded, source.problems)
    }

    /// The data folder as the process can use it.
    package var dataDirectory: String { path(config.host.dataDirectory) }

    /// A path in the config as the process can open it.
    package func path(_ path: String) -> String {
        path.hasPrefix("/") || baseDirectory.isEmpty ? path : baseDirectory + "/" + path
    }
}
