import Martlet

/// The kinds of modules as parameters of `ConfigModule`.
package enum SourceKind: ConfigModuleKind { package static var kindName: String { ModuleKind.source.rawValue } }
package enum TransformKind: ConfigModuleKind { package static var kindName: String { ModuleKind.transform.rawValue } }
package enum SinkKind: ConfigModuleKind { package static var kindName: String { ModuleKind.sink.rawValue } }
package enum ChannelKind: ConfigModuleKind { package static var kindName: String { ModuleKind.channel.rawValue } }
package enum DatabaseKind: ConfigModuleKind { package static var kindName: String { ModuleKind.database.rawValue } }
package enum AuthKind: ConfigModuleKind { package static var kindName: String { ModuleKind.auth.rawValue } }
package enum LogKind: ConfigModuleKind { package static var kindName: String { ModuleKind.log.rawValue } }
package enum PubSubKind: ConfigModuleKind { package static var kindName: String { ModuleKind.pubsub.rawValue } }
