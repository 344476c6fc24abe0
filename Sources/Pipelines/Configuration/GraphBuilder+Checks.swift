import HTTPServer
import Martlet

/// Checks across blocks.
extension GraphBuilder {
    func checkTopics() {
        for entry in graph.config.topics {
            let name = TopicName(entry.key)
            let place = ConfigPlace(path: entry.value.place.path, position: entry.keyPlace.position)
            if !name.isValid {
                problems.report(
                    .invalid, at: place, "a topic name has 1 to 249 of the characters a-z A-Z 0-9 . _ -",
                    found: "`\(entry.key)`")
            } else if entry.key.hasPrefix("__") {
                problems.report(
                    .invalid, at: place, "topic names that begin with `__` belong to the log", found: "`\(entry.key)`")
            }
        }
    }

    func checkListeners() {
        let host = graph.config.host
        let listeners = [
            (host.listenPlace, host.listen, false), (host.adminListenPlace, host.adminListen, true),
        ]
        for (place, text, isAdmin) in listeners {
            guard let place else { continue }
            guard let address = try? ListenAddress(parsing: text) else {
                problems.report(
                    .invalid, at: place, "must be `address:port`, such as 127.0.0.1:8080 or [::1]:8080", found: "`\(text)`")
                continue
            }
            if address.isLoopback { continue }
            if isAdmin, host.adminToken == nil {
                problems.report(
                    .invalid, at: place, "an admin listener outside loopback needs `host.admin_token`", found: "`\(text)`",
                    hint: "\"admin_token\": \"${env:MARTLET_ADMIN_TOKEN}\"")
            }
            let open = isAdmin || host.allowUnauthenticated ? [] : openParts
            if !open.isEmpty {
                problems.report(
                    .invalid, at: place, "these have no `auth`, so they listen on loopback only: \(open.joined(separator: ", "))",
                    found: "`\(text)`",
                    hint: "give them `auth`, or set \"allow_unauthenticated\": true if the network in front of this host is trusted")
            }
        }
    }

    /// Malformed paths and routes that answer the same requests.
    func checkRoutes() {
        var routes: [WireRoute] = []
        for entry in graph.routes {
            do throws(RouteError) {
                let route = try ServerRoutes.route(entry.route, owner: entry.owner)
                _ = try Router(routes + [route])
                routes.append(route)
            } catch {
                let parts = entry.owner.split(separator: ".", maxSplits: 1).map(String.init)
                let path = ConfigPath(parts.map { .key($0) } + [.key("path")])
                problems.report(
                    .invalid, at: ConfigPlace(path: path, position: position(of: parts)), error.description,
                    found: "`\(entry.route.path)`")
            }
        }
    }

    /// Names of channels that stand in paths of the admin API.
    func checkChannelNames() {
        for node in graph.channels where node.part.channel is any AdminProviding {
            let isPlain = node.name.utf8.allSatisfy { byte in
                byte < 0x80 && (Character(UnicodeScalar(byte)).isLetter || Character(UnicodeScalar(byte)).isNumber || "._-".utf8.contains(byte))
            }
            guard !isPlain || node.name.isEmpty else { continue }
            problems.report(
                .invalid, at: graph.config.channels[node.name]?.place ?? ConfigPlace(path: .root, position: .none),
                "the name of this channel stands in paths of the admin API: use the characters a-z A-Z 0-9 . _ -", found: "`\(node.name)`")
        }
    }

    private func position(of parts: [String]) -> SourcePosition {
        guard parts.count == 2 else { return .none }
        switch parts[0] {
        case "sources": return graph.config.sources[parts[1]]?.node["path"]?.position ?? .none
        case "channels": return graph.config.channels[parts[1]]?.node["path"]?.position ?? .none
        default: return graph.config.queries[parts[1]]?.path.place.position ?? .none
        }
    }
}
