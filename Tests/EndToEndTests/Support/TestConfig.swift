import Foundation
import TestSupport

/// The shipped config, edited for a test.
struct TestConfig {
    private var root: [String: Any]

    private static let file = repository.appendingPathComponent("config.json")

    /// The file that the repository ships, byte for byte.
    static func copyShipped(to folder: TemporaryFolder) throws {
        try Data(contentsOf: file).write(to: URL(fileURLWithPath: folder["config.json"]))
    }

    /// The config that the repository ships, to be edited; its keys lose their order.
    static func shipped() throws -> TestConfig {
        guard let root = try JSONSerialization.jsonObject(with: Data(contentsOf: file)) as? [String: Any] else {
            throw TestFailure("config.json is no object")
        }
        return TestConfig(root: root)
    }

    /// The top of the checkout that the tests were built from.
    static let repository = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent()

    private init(root: [String: Any]) {
        self.root = root
    }

    /// Sets the value at a path of keys; nil removes it.
    mutating func set(_ path: String..., to value: Any?) {
        root = Self.edited(root, path[...], value)
    }

    /// Adds a step to the schema of the database `main`.
    mutating func addSchemaStep(_ id: String, _ sql: String) {
        let databases = root["databases"] as? [String: Any]
        let main = databases?["main"] as? [String: Any]
        let steps = main?["schema"] as? [[String: Any]] ?? []
        set("databases", "main", "schema", to: steps + [["id": id, "sql": sql]])
    }

    private static func edited(_ object: [String: Any], _ path: ArraySlice<String>, _ value: Any?) -> [String: Any] {
        var object = object
        guard let key = path.first else { return object }
        if path.count == 1 {
            object[key] = value
        } else {
            object[key] = edited(object[key] as? [String: Any] ?? [:], path.dropFirst(), value)
        }
        return object
    }

    func write(to folder: TemporaryFolder) throws {
        let data = try JSONSerialization.data(withJSONObject: root, options: [.prettyPrinted, .sortedKeys])
        try data.write(to: URL(fileURLWithPath: folder["config.json"]))
    }
}
