import BusPlugin
import ConsolePlugin
import HTTPPlugin
import JQPlugin
import MapPlugin
import Martlet
import PostgreSQLPlugin
import RedisPlugin
import SQLSinksPlugin
import SQLitePlugin
import SSEPlugin

/// The modules compiled into this host, one a line. The list of plugins in Package.swift has the same names.
enum StandardModules {
    static func registry() throws(RegistrationError) -> ModuleRegistry {
        var registry = ModuleRegistry()
        try registry.register(pubSub: MemoryBus.self)
        try registry.register(pubSub: RedisPubSub.self)
        try registry.register(sink: PubSubSink.self)
        try registry.register(sink: ConsoleSink.self)
        try registry.register(source: HTTPSource.self)
        try registry.register(transform: JQTransform.self)
        try registry.register(transform: MapTransform.self)
        try registry.register(sink: TableSink.self)
        try registry.register(sink: SQLSink.self)
        try registry.register(database: SQLiteDatabase.self)
        try registry.register(database: PostgreSQLDatabase.self)
        try registry.register(channel: SSEChannel.self)
        return registry
    }
}
