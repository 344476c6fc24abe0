import Martlet

/// `martlet channels`: who is connected to a running host.
struct ChannelsCommand: Command {
    static let name = "channels"
    static let summary = "List the channels of a running host with their connections, or show one."
    static let usage = "[list | show CHANNEL] [--limit N] [--json] [--admin URL] [--config FILE]"
    static let options: [CommandOption] = [
        .option("limit", "N", "For show: how many recipients and users to list, those with the most connections first; default 20."),
        .json, .admin, .config,
    ]
    static let details = """
        Counts are of one host. Recipients are what connections match messages by; users are callers, where the channel has `auth`.

        examples:
          martlet channels
          martlet channels show notification-stream --limit 100
        """

    private let channel: String?
    private let arguments: Arguments

    init(_ arguments: Arguments) throws {
        let words = arguments.positional
        switch (words.first, words.count) {
        case (nil, _), ("list", 1): channel = nil
        case ("show", 2): channel = words[1]
        default: throw UsageError("expected `list` or `show CHANNEL`, found `\(words.joined(separator: " "))`")
        }
        if channel == nil, arguments.has("limit") { throw UsageError("--limit goes with `show`") }
        self.arguments = arguments
    }

    func run() async throws -> ExitCode {
        let client = try AdminClient(arguments)
        if let channel {
            let limit = try arguments.integer("limit", default: 20, in: 1...ChannelResource.limitMax)
            let answer = try client.get(["v1", "channels", channel], query: [("limit", String(limit))]).json()
            arguments.show(answer, as: Self.text)
        } else {
            let channels = try client.get(["v1", "channels"]).json()["channels"] ?? .array([])
            arguments.show(channels, as: Self.table)
        }
        return .done
    }

    private static func table(_ channels: JSONNode) -> String {
        let rows = channels.items.map { channel in
            [channel.text("channel"), channel.text("type"), count(channel, "connections"), count(channel, "recipients"), count(channel, "users")]
        }
        return Terminal.table(["CHANNEL", "TYPE", "CONNECTIONS", "RECIPIENTS", "USERS"], rows)
    }

    private static func text(_ channel: JSONNode) -> String {
        func part(_ title: String, _ key: String) -> String {
            let rows = (channel[key]?.items ?? []).map { [$0.text("name"), count($0, "connections")] }
            return rows.isEmpty ? "" : "\n\n" + Terminal.table([title, "CONNECTIONS"], rows)
        }
        let head = "\(channel.text("channel")): \(count(channel, "connections")) connections, \(count(channel, "recipients")) recipients, "
            + "\(count(channel, "users")) users"
        return head + part("RECIPIENT", "by_recipient") + part("USER", "by_user")
    }

    /// A dash for a channel that keeps no connections.
    private static func count(_ node: JSONNode, _ key: String) -> String {
        node[key]?.wholeNumber.map { String($0) } ?? "-"
    }
}
