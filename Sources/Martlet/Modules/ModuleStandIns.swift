/// Puts other modules in the place of registered ones, for configs that are tried out without their surroundings. A
/// config is validated by the module that it names; then the stand-in is made.
package struct ModuleStandIns: Sendable {
    /// Makes a module of its object in the config, as a registered one is made; nil if there were problems.
    package typealias Maker<Instance> = @Sendable (JSONNode, ConfigPath, ConfigProblems, ModuleContext) -> Instance?
    /// The maker of the stand-in for a module with this name; nil keeps the module itself.
    package typealias Choice<Instance> = @Sendable (_ type: String) -> Maker<Instance>?

    package var sources: Choice<any EventSource> = { _ in nil }
    package var sinks: Choice<any Sink> = { _ in nil }
    package var channels: Choice<any DeliveryChannel> = { _ in nil }
    package var databases: Choice<any Database> = { _ in nil }
    package var pubSubs: Choice<any PubSub> = { _ in nil }

    package init() {}

    /// The registry with the stand-ins.
    package func registry(_ original: ModuleRegistry) -> ModuleRegistry {
        var registry = original
        registry.sources = original.sources.map { Self.replaced($0, sources) }
        registry.sinks = original.sinks.map { Self.replaced($0, sinks) }
        registry.channels = original.channels.map { Self.replaced($0, channels) }
        registry.databases = original.databases.map { Self.replaced($0, databases) }
        registry.pubSubs = original.pubSubs.map { Self.replaced($0, pubSubs) }
        return registry
    }

    private static func replaced<Instance>(
        _ factory: ModuleFactory<Instance>, _ standIn: Choice<Instance>
    ) -> ModuleFactory<Instance> {
        guard let make = standIn(factory.name) else { return factory }
        return ModuleFactory(
            name: factory.name, summary: factory.summary, typeName: factory.typeName, fields: factory.fields,
            takesRequests: factory.takesRequests, supportsDeduplication: factory.supportsDeduplication,
            make: { node, path, problems, context in
                factory.make(node, path, problems, context) == nil ? nil : make(node, path, problems, context)
            })
    }
}
