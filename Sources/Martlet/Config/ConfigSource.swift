import Glibc

/// A config file as it was loaded: read, `--set` applied, `${env:…}` and `${file:…}` replaced.
package struct ConfigSource: Sendable {
    /// Looks up an environment variable; nil if it is not set.
    package typealias Environment = @Sendable (String) -> String?

    /// The file's path as the user gave it; paths in the config are relative to its folder.
    package let path: String
    /// The whole config; nil if there is no valid JSON. Use it only while ``problems`` is empty.
    package let root: JSONNode?
    /// The problems of loading; decoding adds its own.
    package let problems: ConfigProblems

    /// Loads a file. It does not throw: whatever is wrong is in ``problems``.
    ///
    /// - Parameters:
    ///   - overrides: the values of `--set` in their order, a later one winning: `host.listen=127.0.0.1:9000`.
    ///   - environment: where `${env:NAME}` looks.
    package static func load(
        path: String, overrides: [String] = [], environment: @escaping Environment = processEnvironment
    ) -> ConfigSource {
        let problems = ConfigProblems(file: path)
        do throws(ConfigFileReader.Failure) {
            let limits = JSONReader.Limits()
            let bytes = try ConfigFileReader.read(path, limit: limits.bytes, allowsPipes: true)
            return read(bytes, problems: problems, overrides: overrides, environment: environment)
        } catch {
            problems.report(
                .unreadableFile, at: ConfigPlace(path: .root, position: .none), "cannot be read: \(error.reason)")
            return ConfigSource(path: path, root: nil, problems: problems)
        }
    }

    /// Loads a config from text, as if it stood in a file of this path.
    package static func load(
        text: String, path: String = "config.json", overrides: [String] = [],
        environment: @escaping Environment = processEnvironment
    ) -> ConfigSource {
        read(
            Array(text.utf8), problems: ConfigProblems(file: path), overrides: overrides, environment: environment)
    }

    /// The process's own environment.
    @Sendable package static func processEnvironment(_ name: String) -> String? {
        getenv(name).map { String(cString: $0) }
    }

    private static func read(
        _ bytes: [UInt8], problems: ConfigProblems, overrides: [String], environment: @escaping Environment
    ) -> ConfigSource {
        let parsed = overrides.compactMap { ConfigOverride.parse($0, problems: problems) }
        guard var root = JSONReader.read(bytes, problems: problems) else {
            return ConfigSource(path: problems.file, root: nil, problems: problems)
        }
        for override in parsed {
            override.apply(to: &root, problems: problems)
        }
        let substitution = ConfigSubstitution(environment: environment, problems: problems)
        return ConfigSource(path: problems.file, root: substitution.apply(to: root, path: .root), problems: problems)
    }
}
