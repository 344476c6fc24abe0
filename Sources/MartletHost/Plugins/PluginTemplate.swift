/// What `martlet plugin new` writes for one kind of module: something small that works. `__NAME__` stands for the
/// plugin's name and `__TYPE__` for its type in a config.
struct PluginTemplate: Sendable {
    /// The module's Swift file.
    let module: String
    /// The contract test, in a file of the target `PluginTests`.
    let tests: String
    /// The README, with a config that the test decodes.
    let readme: String
}
