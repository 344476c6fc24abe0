/// The servers that one run of the flow uses, and the config that names them. They end with this object.
final class FlowServers {
    let config: String
    private let postgreSQL: PostgreSQLProcess?
    private let redis: RedisProcess?
    private let folder: TemporaryFolder

    init(_ backends: FlowBackends, in directory: String) throws(BenchmarkError) {
        folder = try TemporaryFolder(in: directory)
        postgreSQL = backends.database == .postgres ? try PostgreSQLProcess(in: directory) : nil
        redis = backends.pubSub == .redis ? try RedisProcess([], in: folder) : nil
        if backends.pubSub == .redis, redis == nil { throw BenchmarkError("redis-server is not installed (Debian: apt-get install redis-server)") }
        config = try Self.config(postgreSQL?.url, redis?.url)
    }

    /// The shipped config with only the blocks `databases.main` and `pubsub.bus` changed.
    static func config(_ postgreSQL: String?, _ redis: String?) throws(BenchmarkError) -> String {
        var config = ShippedFlow.config
        if let postgreSQL {
            try replace(#""type": "sqlite","#, #""type": "postgres","#, &config)
            try replace(#""path": "data/main.db","#, #""url": "\#(postgreSQL)","#, &config)
        }
        if let redis { try replace(#"{ "type": "memory" }"#, #"{ "type": "redis", "url": "\#(redis)" }"#, &config) }
        return config
    }

    private static func replace(_ old: String, _ new: String, _ config: inout String) throws(BenchmarkError) {
        guard let range = config.firstRange(of: old) else { throw BenchmarkError("the shipped config has no \(old)") }
        config.replaceSubrange(range, with: new)
    }
}
