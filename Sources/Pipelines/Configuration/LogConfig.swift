package import Martlet

/// The block `log`: one of the platform's engines with its fields, or a module, which reads its fields itself.
package struct LogConfig: ModuleConfig {
    package enum Engine: String, CaseIterable, ConfigValue {
        case embedded, remote
    }

    package enum Acknowledge: String, CaseIterable, ConfigValue {
        /// After the data is synced to disk.
        case fsync
        /// After the data is written, before it is synced: a loss of power loses acknowledged events.
        case written
    }

    private static let embeddedKeys = ["acknowledge", "min_free_bytes", "max_queued_bytes"]

    package let engine: Engine
    package let acknowledge: Acknowledge
    package let minFreeBytes: Int
    package let maxQueuedBytes: Int
    package let maxRecordBytes: Int
    /// Set for the engine `remote`.
    package let remote: RemoteLogConfig?
    /// Set if `type` is none of the engines; the other values are then those of an empty block, and mean nothing.
    package private(set) var module: ConfigModule<LogKind>?

    package init(from fields: inout ConfigFields) {
        engine = fields.optional(
            "type", default: .embedded,
            "The engine: `embedded` keeps topics on the local disk and runs the groups; `remote` uses the log of another host; "
                + "a module of the kind log has fields of its own instead of these.")
        acknowledge = fields.optional(
            "acknowledge", default: .fsync,
            "When an event counts as kept: `fsync` survives loss of power, `written` only a crash of the process.")
        minFreeBytes = fields.optional(
            "min_free_bytes", default: 268_435_456, in: 0...(1 << 50),
            "Free disk space below which the log refuses appends.")
        maxQueuedBytes = fields.optional(
            "max_queued_bytes", default: 67_108_864, in: 1_048_576...(1 << 40),
            "Events waiting to be written; beyond it appends are refused.")
        maxRecordBytes = fields.optional(
            "max_record_bytes", default: 1_048_576, in: 1024...(1 << 28),
            "The largest event that this host takes; with a `remote` log, at most what the log's host has here.")
        remote = Self.remote(&fields, engine)
        let foreign = engine == .remote ? Self.embeddedKeys : RemoteLogConfig.keys
        for key in foreign where fields.isPresent(key) {
            fields.problem(
                at: key, with: ["type"],
                "`\(key)` belongs to the log type `\(engine == .remote ? "embedded" : "remote")`, and this log is `\(engine.rawValue)`",
                hint: "remove it")
        }
    }

    /// Leaves the fields of a module to it; which modules there are is not known yet.
    package static func decode(_ input: ConfigInput) -> LogConfig? {
        guard let type = input.node["type"], case .string = type.kind, Engine(rawValue: type.plainText ?? "") == nil else {
            return decodePartially(input.node, path: input.path, problems: input.problems)
        }
        var config = placeholder
        config.module = ConfigModule.decode(input)
        return config
    }

    package static func shape(_ context: ShapeContext) -> ConfigShape {
        .objectOrModule(describe(), kind: LogKind.kindName)
    }

    private static func remote(_ fields: inout ConfigFields, _ engine: Engine) -> RemoteLogConfig? {
        let url: String? = fields.optional(
            "url", "For `remote`: the `host.admin_listen` of the host that has the log, as http:// or, behind a TLS proxy, https://.",
            example: "http://10.0.0.1:8081")
        let token: String? = fields.optional(
            "token", "For `remote`: the `host.admin_token` of that host.", example: "${env:MARTLET_ADMIN_TOKEN}")
        let connectMilliseconds = fields.optional(
            "connect_timeout_ms", default: 2_000, in: 10...60_000, "For `remote`: time to connect, TLS included.")
        let requestMilliseconds = fields.optional(
            "request_timeout_ms", default: 10_000, in: 100...600_000, "For `remote`: time for a whole answer.")
        let certificateFile: String? = fields.optional(
            "ca_file", "For `remote`: a PEM file of the authorities to trust for https; left out, the system's.")
        guard engine == .remote else { return nil }
        guard let url else {
            fields.problem(
                at: "url", with: ["type"], "a `remote` log needs the `url` of the host that has the log", code: .missingKey,
                hint: "\"url\": \"http://10.0.0.1:8081\"")
            return nil
        }
        let isHTTP = ["http://", "https://"].contains { url.hasPrefix($0) && url.count > $0.count }
        if !isHTTP || url.contains("?") || url.contains("#") || url.contains("@") {
            fields.problem(
                at: "url", "must be http:// or https://, an address and a port, without a user, a query or a fragment", found: "`\(url)`",
                hint: "http://10.0.0.1:8081")
        }
        return RemoteLogConfig(
            url: String(url.reversed().drop { $0 == "/" }.reversed()), token: token,
            connectTimeout: .milliseconds(connectMilliseconds), requestTimeout: .milliseconds(requestMilliseconds),
            certificateFile: certificateFile)
    }
}
