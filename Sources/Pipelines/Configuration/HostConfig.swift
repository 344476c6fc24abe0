package import Martlet

/// The block `host`.
package struct HostConfig: ModuleConfig {
    /// Where the listeners stand, for problems found by comparing blocks; nil if a field that such a rule looks at has a
    /// problem of its own.
    package let listenPlace: ConfigPlace?
    package let adminListenPlace: ConfigPlace?
    package let listen: String
    package let adminListen: String
    package let adminToken: String?
    package let allowUnauthenticated: Bool
    package let trustedProxies: [AddressBlock]
    package let forwardedHeader: ForwardedHeader
    package let cors: CORSConfig?
    package let ticketSecret: ConfigText?
    package let dataDirectory: String
    package let eventLoops: Int?
    package let maxBodyBytes: Int
    package let maxHeaderBytes: Int
    package let maxConnections: Int
    package let headerTimeoutSeconds: Int
    package let bodyTimeoutSeconds: Int
    package let idleTimeoutSeconds: Int
    package let writeTimeoutSeconds: Int
    package let shutdownGraceSeconds: Int
    package let outboxLimitEvents: Int
    package let outboxLeaseSeconds: Int
    package let logLevel: LogLevel
    package let logFormat: LogFormat

    package enum LogLevel: String, CaseIterable, ConfigValue {
        case debug, info, warning, error
    }

    /// Where proxies write a client's address.
    package enum ForwardedHeader: String, CaseIterable, ConfigValue {
        case xForwardedFor = "x-forwarded-for"
        case forwarded
    }

    package enum LogFormat: String, CaseIterable, ConfigValue {
        case auto, text, json
    }

    package init(from fields: inout ConfigFields) {
        listen = fields.optional(
            "listen", default: "127.0.0.1:8080", "Address and port of the configured paths; port 0 takes a free one.")
        adminListen = fields.optional(
            "admin_listen", default: "127.0.0.1:8081", "Address and port of health, metrics and the admin API.")
        adminToken = fields.optional(
            "admin_token", "Bearer token of the admin API; required when `admin_listen` is not a loopback address.",
            example: "${env:MARTLET_ADMIN_TOKEN}")
        allowUnauthenticated = fields.optional(
            "allow_unauthenticated", default: false, "Serve the configured paths outside loopback without authentication.")
        listenPlace = fields.areValid("listen", "allow_unauthenticated") ? fields.place(of: "listen") : nil
        adminListenPlace = fields.areValid("admin_listen", "admin_token") ? fields.place(of: "admin_listen") : nil
        trustedProxies = fields.optional(
            "trusted_proxies", default: [],
            "Proxies before this host, as addresses or CIDR blocks: the client's address that they name counts, for limits per "
                + "address.",
            example: ["127.0.0.1", "10.0.0.0/8"].compactMap { AddressBlock($0) })
        forwardedHeader = fields.optional(
            "forwarded_header", default: .xForwardedFor,
            "The header in which they name it, `X-Forwarded-For` or `Forwarded`; each must add to it, or set it.")
        cors = fields.optional("cors", "Pages of other origins that may use the configured paths.")
        ticketSecret = fields.optional(
            "ticket_secret",
            "Signs the tickets that open streams, at least 32 bytes and the same on each host behind one name; left out, a "
                + "ticket is good on the host that gave it.",
            example: "${env:MARTLET_TICKET_SECRET}")
        if let ticketSecret, ticketSecret.plain.utf8.count < 32 {
            fields.problem(at: "ticket_secret", "must have at least 32 bytes", found: "\(ticketSecret.plain.utf8.count) bytes")
        }
        dataDirectory = fields.optional(
            "data_directory", default: "data", "The folder of the log; relative to the config file.")
        eventLoops = fields.optional(
            "event_loops", in: 1...64, "Threads that serve connections; left out, one per core.")
        maxBodyBytes = fields.optional(
            "max_body_bytes", default: 8 << 20, in: 1024...(1 << 30), "The largest request body; beyond it 413.")
        maxHeaderBytes = fields.optional(
            "max_header_bytes", default: 16_384, in: 1024...(1 << 20), "All headers of a request; beyond it 431.")
        maxConnections = fields.optional(
            "max_connections", default: 20_000, in: 1...1_000_000, "Open connections; beyond it 503.")
        headerTimeoutSeconds = fields.optional(
            "header_timeout_seconds", default: 10, in: 1...3600, "Time for a request's headers to arrive.")
        bodyTimeoutSeconds = fields.optional(
            "body_timeout_seconds", default: 30, in: 1...3600, "Time for a request's body to arrive.")
        idleTimeoutSeconds = fields.optional(
            "idle_timeout_seconds", default: 75, in: 1...3600, "How long a connection may wait for its next request.")
        writeTimeoutSeconds = fields.optional(
            "write_timeout_seconds", default: 30, in: 1...3600, "How long a client may leave its answer unread.")
        shutdownGraceSeconds = fields.optional(
            "shutdown_grace_seconds", default: 10, in: 0...600, "Time for work under way to finish at shutdown.")
        outboxLimitEvents = fields.optional(
            "outbox_limit_events", default: 1_000_000, in: 1...1_000_000_000,
            "Events that may wait in a database's outbox for the log; beyond it 503.")
        outboxLeaseSeconds = fields.optional(
            "outbox_lease_seconds", default: 30, in: 1...3_600,
            "How long a host that is gone keeps its outbox to itself; then another host on the same database publishes it.")
        logLevel = fields.optional("log_level", default: .info, "The least important lines that are logged.")
        logFormat = fields.optional(
            "log_format", default: .auto, "How log lines look; `auto` is text on a terminal, else JSON.")
    }
}
