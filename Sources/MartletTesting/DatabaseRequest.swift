import Martlet

/// What kind of database a contract asks an author's closure for.
public struct DatabaseRequest: Sendable {
    /// Requests with the same number are answered with databases over the same store; a new number means a new, empty one.
    public let store: Int
    /// False: the database must not be able to connect (a folder that is not there, a port that nobody listens on).
    public let isReachable: Bool
    /// Steps of the database's `schema`.
    public let schema: [(id: String, sql: String)]
    /// The config's `write_queue`, if it is not the default.
    public let writeQueue: Int?

    init(store: Int, isReachable: Bool = true, schema: [(id: String, sql: String)] = [], writeQueue: Int? = nil) {
        self.store = store
        self.isReachable = isReachable
        self.schema = schema
        self.writeQueue = writeQueue
    }

    /// `"schema": […], "write_queue": 8` for the config, after the fields of the author's own.
    public var commonFields: String {
        let steps = schema.map { "{\"id\": \(JSONText.quoted($0.id)), \"sql\": \(JSONText.quoted($0.sql))}" }
        let queue = writeQueue.map { ", \"write_queue\": \($0)" } ?? ""
        return "\"schema\": [\(steps.joined(separator: ", "))]\(queue)"
    }
}
