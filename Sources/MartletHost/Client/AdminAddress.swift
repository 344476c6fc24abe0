import Glibc
import HTTPServer
import Martlet
import Pipelines

/// Where a host's admin API is, and the token that it asks for.
struct AdminAddress: Sendable, Equatable {
    /// Scheme, host and port: `http://127.0.0.1:8081`.
    let origin: String
    let token: String?

    /// From `--admin`, else from the config's `host.admin_listen`; the token from `MARTLET_ADMIN_TOKEN`, else from the
    /// config's `host.admin_token`. Without a config file, the default address.
    ///
    /// - Throws: ``ConfigError`` if a config file that was named, or its block `host`, is bad; ``UsageError``.
    static func find(_ arguments: Arguments) throws -> AdminAddress {
        let environmentToken = getenv("MARTLET_ADMIN_TOKEN").map { String(cString: $0) }
        let config = try hostConfig(arguments)
        let token = environmentToken ?? config?.adminToken
        if let url = arguments.value("admin") { return AdminAddress(origin: try normalized(url), token: token) }
        return AdminAddress(origin: try origin(listening: config?.adminListen ?? HostConfig.placeholder.adminListen), token: token)
    }

    /// The block `host`; nil if there is no config file and none was named.
    private static func hostConfig(_ arguments: Arguments) throws -> HostConfig? {
        let path = arguments.value("config") ?? "config.json"
        if arguments.value("config") == nil, access(path, F_OK) != 0 { return nil }
        let (loaded, problems) = LoadedConfig.load(path: path, overrides: [])
        // What is wrong with other blocks does not matter here: their variables may be set for the host only.
        let relevant = problems.sorted.filter { loaded == nil || $0.path.pointer == "/host" || $0.path.pointer.hasPrefix("/host/") }
        // With `--admin` only the token is missing then.
        if !relevant.isEmpty, arguments.value("admin") != nil { return nil }
        if !relevant.isEmpty { throw ConfigError(problems: relevant) }
        return loaded?.config.host
    }

    /// The address to connect to for one that a host listens on.
    static func origin(listening text: String) throws -> String {
        var address: ListenAddress
        do throws(HTTPServerError) {
            address = try ListenAddress(parsing: text)
        } catch {
            throw UsageError("host.admin_listen: \(error)")
        }
        if address.port == 0 {
            throw UsageError(
                "host.admin_listen is \(text), a port that the system chooses; pass the address in the host's log line `serving` with --admin")
        }
        if ["", "0.0.0.0", "*"].contains(address.host) { address.host = "127.0.0.1" }
        if address.host == "::" { address.host = "::1" }
        return "http://\(address)"
    }

    /// `--admin` as an origin: the scheme may be left out, a path may not be there.
    static func normalized(_ url: String) throws(UsageError) -> String {
        var text = url
        while text.hasSuffix("/") { text.removeLast() }
        if !text.hasPrefix("http://"), !text.hasPrefix("https://") { text = "http://" + text }
        let authority = text.drop { $0 != "/" }.dropFirst(2)
        guard !authority.isEmpty, authority.first != ":", authority.last != ":", !authority.contains(where: { $0 == "/" || $0 == "?" || $0 == "#" || $0 == "@" || $0.isWhitespace })
        else { throw UsageError("--admin must be like http://127.0.0.1:8081, found \(url)") }
        return text
    }

    /// The scheme, host and port of a URL.
    static func origin(of url: String) -> String {
        let parts = url.split(separator: "/", maxSplits: 3, omittingEmptySubsequences: false)
        return parts.prefix(3).joined(separator: "/")
    }
}
