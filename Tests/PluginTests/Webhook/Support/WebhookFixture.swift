import Foundation
import Martlet
import MartletTesting
import Pipelines
import PostgreSQLPlugin
import SQLitePlugin
import Synchronization
import TestSupport
import Testing
import WebhookPlugin

/// The databases that the channel must work on alike.
enum Backend: String, CaseIterable, Sendable {
    case sqlite, postgres
}

/// A webhook channel over a real database, without a host around it.
final class WebhookFixture: Sendable {
    static let secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

    let database: any Database
    let channel: WebhookChannel
    let events = RecordingTopic()
    let host: String
    private let logged = Lines()
    private let folder: TemporaryFolder?
    private let nextOffset = Mutex<Offset>(0)

    /// - Parameters:
    ///   - endpoints: the block `endpoints`, as JSON.
    ///   - fields: more fields of the channel, each with a comma before it.
    ///   - allowed: the addresses of loopback that may be connected to.
    init(
        _ backend: Backend = .sqlite, endpoints: String, _ fields: String = "", database existing: (any Database)? = nil,
        host: String = "host-1", allowed: String = "127.0.0.0/8"
    ) async throws {
        let folder = try TemporaryFolder()
        if let existing {
            database = existing
        } else {
            switch backend {
            case .sqlite:
                database = try TestHost(baseDirectory: folder.path).make(SQLiteDatabase.self, #"{"path": "main.db"}"#, name: "main")
            case .postgres: database = try PostgreSQLServer.shared.get().makeDatabase()
            }
            try await database.open()
        }
        self.folder = folder
        self.host = host
        let test = TestHost(
            payloads: SimdjsonPayloadReader(), http: HTTPClients(), databases: ["main": database], topics: ["operations": events],
            hostID: host, log: logged.append)
        channel = try test.make(
            WebhookChannel.self,
            #"{"database": "main", "endpoints": {\#(endpoints)}, "allow_addresses": ["\#(allowed)"]\#(fields)}"#, name: "hooks")
        try await channel.open(replay: nil)
    }

    /// `"NAME": {…}` for `endpoints`.
    static func endpoint(_ name: String, _ url: String, _ fields: String = "") -> String {
        #""\#(name)": {"url": "\#(url)", "secrets": ["\#(secret)"]\#(fields)}"#
    }

    func close() async {
        await channel.close()
    }

    private static func record(_ offset: Offset, key: String?, _ payload: String, id: String?) -> Record {
        Record(
            topic: "likes", partition: 0, offset: offset,
            event: Event(
                id: id.map { Bytes($0) } ?? EventID.generate(), key: key.map { Bytes($0) }, payload: Bytes(payload), timestamp: 1_700_000_000_000))
    }

    /// Has the channel take over one event for each pair of key and payload.
    func publish(_ events: [(key: String?, payload: String)]) async throws {
        let first = nextOffset.withLock { next in
            defer { next += Offset(events.count) }
            return next
        }
        let records = events.enumerated().map { Self.record(first + Offset($0.offset), key: $0.element.key, $0.element.payload, id: nil) }
        let partition = GroupPartition(group: "hooks", topic: "likes", incarnation: "one", partition: 0)
        try await channel.write(
            records, moving: partition, from: first == 0 ? nil : first, to: first + Offset(events.count))
    }

    /// Executes a statement on the database, beside the channel.
    func execute(_ sql: String) async throws {
        let statement = try database.prepare(sql)
        try await database.transaction { _ = try $0.execute(statement, []) }
    }

    /// The first column of the first row.
    func number(_ sql: String) async throws -> Int64? {
        let rows = try await database.query(try database.prepare(sql), [], limit: 1).rows
        return if case .integer(let value)? = rows.first?.first { value } else { nil }
    }

    /// What the channel has logged.
    var log: String { logged.all.joined() }

    func publish(key: String?, _ payload: String) async throws {
        try await publish([(key, payload)])
    }

    // MARK: The admin API

    struct Answer {
        let status: Int
        let text: String
        let json: [String: Any]

        func list(_ key: String) -> [[String: Any]] { json[key] as? [[String: Any]] ?? [] }
    }

    func ask(
        _ method: String, _ path: String, endpoint: String? = nil, query: [String: String] = [:], _ body: String = ""
    ) async throws -> Answer {
        let route = try #require(channel.adminRoutes.first { $0.method == method && $0.path == path }, "no route \(method) \(path)")
        let exchange = FakeExchange(method, path: endpoint.map { ["endpoint": $0] } ?? [:], query: query, body: Bytes(body))
        route.handle(exchange)
        let response = await exchange.response()
        let text = response.body.string
        let json = try? JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any]
        return Answer(status: response.status, text: text, json: json ?? [:])
    }

    func attempts(_ endpoint: String) async throws -> [[String: Any]] {
        try await ask("GET", "/attempts", query: ["endpoint": endpoint, "limit": "1000"]).list("attempts")
    }

    func deliveries(_ endpoint: String, state: String? = nil) async throws -> [[String: Any]] {
        var query = ["endpoint": endpoint, "limit": "1000"]
        query["state"] = state
        return try await ask("GET", "/deliveries", query: query).list("deliveries")
    }

    func state(of endpoint: String) async throws -> String? {
        try await ask("GET", "/endpoints/{endpoint}", endpoint: endpoint).json["state"] as? String
    }
}

/// Keeps what a module publishes.
final class RecordingTopic: TopicPublisher {
    private let events = Mutex<[Event]>([])
    private let failure = Mutex<ModuleError?>(nil)

    var payloads: [String] { events.withLock { $0.map(\.payload.string) } }

    /// Makes every publish fail, until it is set to nil.
    func fail(_ error: ModuleError?) {
        failure.withLock { $0 = error }
    }

    func publish(_ events: [Event]) async throws {
        if let failure = failure.withLock({ $0 }) { throw failure }
        self.events.withLock { $0 += events }
    }
}
