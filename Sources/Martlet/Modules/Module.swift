/// What all modules share. A module's life:
///
/// 1. **decode**: the host reads the module's `Config` from the config file; problems carry their position.
/// 2. **validate**: `init(config:context:)` resolves references and compiles templates. No side effect: no file,
///    no socket, no thread. It reports each problem through the context and returns nil if there was any.
/// 3. **open**: connections and files. May fail; a transient failure is tried again with backoff.
/// 4. **work**: what the module's own protocol adds.
/// 5. **close**: releases everything; works after a failed `open`, and more than once.
public protocol Module: Sendable {
    associatedtype Config: ModuleConfig

    /// The `type` in the config file: lower case, words joined with `_`.
    static var name: String { get }

    /// One line on what the module does, for `martlet modules`.
    static var summary: String { get }

    /// Validates. Reports problems through `context`; nil if there was any.
    init?(config: Config, context: ModuleContext)
}
