import AuthPlugin
import BusPlugin
import ConsolePlugin
import ExecPlugin
import FilesPlugin
import FiltersPlugin
import HTTPPlugin
import JQPlugin
import KafkaPlugin
import MapPlugin
import Martlet
import OutboxPlugin
import PostgreSQLPlugin
import RedisPlugin
import SQLSinksPlugin
import SQLitePlugin
import SSEPlugin
import SchedulePlugin
import WebhookPlugin

/// The modules compiled into this host, one a line. The list of plugins in Package.swift has the same names.
enum StandardModules {
    static func registry() throws(RegistrationError) -> ModuleRegistry {
        var registry = ModuleRegistry()
        try registry.register(authenticator: JWTAuthenticator.self)
        try registry.register(authenticator: APIKeyAuthenticator.self)
        try registry.register(pubSub: MemoryBus.self)
        try registry.register(pubSub: RedisPubSub.self)
        try registry.register(sink: PubSubSink.self)
        try registry.register(sink: ConsoleSink.self)
        try registry.register(sink: ExecSink.self)
        try registry.register(source: ExecSource.self)
        try registry.register(transform: ExecTransform.self)
        try registry.register(source: HTTPSource.self)
        try registry.register(source: ScheduleSource.self)
        try registry.register(source: FileSource.self)
        try registry.register(source: OutboxSource.self)
        try registry.register(source: RedisSource.self)
        try registry.register(transform: JQTransform.self)
        try registry.register(log: KafkaLog.self)
        try registry.register(transform: MapTransform.self)
        try registry.register(transform: FilterTransform.self)
        try registry.register(transform: DedupeTransform.self)
        try registry.register(transform: ThrottleTransform.self)
        try registry.register(sink: HTTPSink.self)
        try registry.register(sink: FileSink.self)
        try registry.register(sink: RedisSink.self)
        try registry.register(sink: TableSink.self)
        try registry.register(sink: SQLSink.self)
        try registry.register(database: SQLiteDatabase.self)
        try registry.register(database: PostgreSQLDatabase.self)
        try registry.register(channel: SSEChannel.self)
        try registry.register(channel: WebhookChannel.self)
        return registry
    }
}
