package import Martlet

/// What a host takes from outside its config; a config test puts other things in their place.
package struct HostSurroundings: Sendable {
    /// Where `${env:NAME}` looks.
    package var environment: ConfigSource.Environment = ConfigSource.processEnvironment
    /// Makes the clients with which modules send requests to the outside.
    package var http: any OutgoingHTTP = HTTPClients()
    /// What the config can name, made of the modules of this build and those of the config's `plugins`.
    package var modules: @Sendable (ModuleRegistry) -> ModuleRegistry = { $0 }

    /// The size of the log's journal, if not the usual one: a log that lives for one test needs little.
    package var journalBytes: Int?

    package init() {}
}
