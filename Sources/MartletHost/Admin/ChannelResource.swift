import Martlet
import Pipelines

/// `/v1/channels`: who is connected to this host.
struct ChannelResource: Sendable {
    /// Recipients and users that one answer lists, at most.
    static let limitMax = 10_000

    let host: Host

    var list: HTTPResponse {
        .json(["channels": .array(host.graph.channels.map { Self.json($0.part, limit: 0) })])
    }

    func show(_ name: String, limit: Int) throws(AdminProblem) -> HTTPResponse {
        let channels = host.graph.channels
        guard let node = channels.first(where: { $0.name == name }) else {
            throw .unknown("channel", name, among: channels.map(\.name))
        }
        return .json(Self.json(node.part, limit: limit))
    }

    /// - Parameter limit: how many recipients and users to list; 0 leaves the lists out.
    private static func json(_ channel: ChannelRunner, limit: Int) -> JSONNode {
        var members: [(String, JSONNode)] = [
            ("channel", .string(channel.name)), ("type", .string(type(of: channel.channel).name)),
            ("ready", .bool(channel.readiness.isReady)),
        ]
        // Webhooks and the like keep none.
        guard let connections = channel.channel.connections(limit: limit) else { return .object(members) }
        members += [
            ("connections", .integer(Int64(connections.total))), ("recipients", .integer(Int64(connections.recipientCount))),
            ("users", .integer(Int64(connections.userCount))),
        ]
        if limit > 0 {
            members += [("by_recipient", .array(connections.recipients.map(json))), ("by_user", .array(connections.users.map(json)))]
        }
        return .object(members)
    }

    private static func json(_ count: ChannelConnections.Count) -> JSONNode {
        ["name": .string(count.name), "connections": .integer(Int64(count.connections))]
    }
}
