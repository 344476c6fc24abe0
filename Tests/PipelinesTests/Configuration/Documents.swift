import Foundation
import Martlet

/// The configs that the repository shows to its users.
enum Documents {
    static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent()
    static let blockNames: Set<String> = [
        "host", "log", "auth", "databases", "pubsub", "topics", "sources", "groups", "channels", "queries",
    ]

    static func text(_ path: String) throws -> String {
        try String(contentsOf: root.appendingPathComponent(path), encoding: .utf8)
    }

    /// What stands between ```` ```json ```` and ```` ``` ````.
    static func jsonBlocks(of path: String) throws -> [String] {
        try text(path).components(separatedBy: "```json\n").dropFirst().map { $0.components(separatedBy: "\n```")[0] }
    }

    static func object(_ json: String) -> [String: Any]? {
        (try? JSONSerialization.jsonObject(with: Data(json.utf8))) as? [String: Any]
    }

    /// The shipped config with an example's entries in place of its own.
    static func merged(_ example: [String: Any]) throws -> String {
        var config = object(try text("config.json")) ?? [:]
        for (block, entries) in example {
            // A log's fields go with its type.
            let own = block == "log" ? [:] : config[block] as? [String: Any] ?? [:]
            config[block] = own.merging(entries as? [String: Any] ?? [:]) { $1 }
        }
        return try json(config)
    }

    /// The shipped config with a module in the place of each kind that its `type` is registered for.
    static func configs(with module: [String: Any], _ registry: ModuleRegistry) throws -> [String] {
        guard let type = module["type"] as? String else { return [] }
        let group: [String: Any] = ["topics": ["notifications"], "sink": ["type": "console"]]
        var examples: [[String: Any]] = []
        if registry.logs.contains(where: { $0.name == type }) { examples.append(["log": module]) }
        if registry.databases.contains(where: { $0.name == type }) { examples.append(["databases": ["example": module]]) }
        if registry.authenticators.contains(where: { $0.name == type }) { examples.append(["auth": ["example": module]]) }
        if registry.pubSubs.contains(where: { $0.name == type }) { examples.append(["pubsub": ["example": module]]) }
        if registry.sinks.contains(where: { $0.name == type }) {
            examples.append(["groups": ["example": group.merging(["sink": module]) { $1 }]])
        }
        if registry.transforms.contains(where: { $0.name == type }) {
            examples.append(["groups": ["example": group.merging(["transforms": [module]]) { $1 }]])
        }
        // In place of those that have the same routes.
        if registry.sources.contains(where: { $0.name == type }) { examples.append(["sources": ["likes": module]]) }
        if registry.channels.contains(where: { $0.name == type }) {
            examples.append(["channels": ["notification-stream": module]])
        }
        return try examples.map { try merged($0) }
    }

    private static func json(_ object: [String: Any]) throws -> String {
        String(decoding: try JSONSerialization.data(withJSONObject: object, options: .sortedKeys), as: UTF8.self)
    }
}

extension FileManager {
    /// The names in a folder, sorted; none if it cannot be read.
    func contentsOfDirectory(_ path: String) -> [String] {
        ((try? contentsOfDirectory(atPath: path)) ?? []).sorted()
    }
}
