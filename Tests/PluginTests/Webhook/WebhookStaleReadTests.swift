import Martlet
import MartletTesting
import SQLitePlugin
import Synchronization
import TestSupport
import Testing
import WebhookPlugin

/// Reads that wait for others, of which an endpoint has as many as there may be, are forgotten with what they were for.
@Suite struct WebhookStaleReadTests {
    @Test func aReadFromBeforeAPauseDoesNotOvertakeARetry() async throws {
        let receiver = ScriptedServer { $0.body.contains("first") ? .status(500) : .status(200) }
        defer { receiver.close() }
        let folder = try TemporaryFolder()
        let base = try TestHost(baseDirectory: folder.path).make(SQLiteDatabase.self, #"{"path": "main.db"}"#, name: "main")
        let database = HoldingDatabase(base)
        try await database.open()
        let plugs = (0..<8).map { WebhookFixture.endpoint("plug\($0)", receiver.url + "/plug", #", "event_types": ["plug"]"#) }
        let endpoints = plugs + [
            WebhookFixture.endpoint("one", receiver.url + "/one", #", "event_types": ["one"]"#),
            WebhookFixture.endpoint("other", receiver.url + "/other", #", "event_types": ["other"]"#),
        ]
        let fixture = try await WebhookFixture(
            endpoints: endpoints.joined(separator: ","),
            #", "event_type": "${/type}", "retry": {"delays_seconds": [3600]}, "breaker": {"failures": 1000}"#, database: database)
        try await fixture.publish(key: "k", #"{"type":"one","n":"first"}"#)
        await waitUntil { (try? await fixture.deliveries("one", state: "retrying").count) == 1 }
        // All reads that there may be are under way, and the one for the next event waits for them.
        database.hold { _, values in values.contains { if case .text(let text) = $0 { text.hasPrefix("plug") } else { false } } }
        try await fixture.publish(key: "p", #"{"type":"plug"}"#)
        await waitUntil { database.heldCount == 8 }
        try await fixture.publish(key: "k", #"{"type":"one","n":"second"}"#)
        for step in ["pause", "resume"] {
            #expect(try await fixture.ask("POST", "/endpoints/{endpoint}/\(step)", endpoint: "one").status == 200)
        }
        // The endpoint is loaded anew: what waits for a retry is read last.
        database.hold { statement, values in values.contains(.text("one")) && !statement.parameterNames.contains("after") }
        await waitUntil { database.heldCount == 1 }
        try await fixture.publish(key: "o", #"{"type":"other"}"#)
        await waitUntil { receiver.requests.contains { $0.path == "/other" } }
        database.hold { _, _ in false }
        // Others of its keys are not held back.
        try await fixture.publish(key: "z", #"{"type":"one","n":"third"}"#)
        await waitUntil { receiver.requests.contains { $0.body.contains("third") } }
        #expect(receiver.requests.filter { $0.path == "/one" }.map(\.body) == ["first", "third"].map { #"{"type":"one","n":"\#($0)"}"# })
        await fixture.close()
    }
}

/// A database whose reads wait for as long as the test says.
private final class HoldingDatabase: Database {
    typealias Config = SQLiteConfig
    typealias Rule = @Sendable (SQLStatement, [DataValue]) -> Bool
    static let name = "holding"
    static let summary = ""

    private struct State {
        var rule: Rule = { _, _ in false }
        var held: [(continuation: CheckedContinuation<Void, Never>, statement: SQLStatement, values: [DataValue])] = []
    }

    private let base: SQLiteDatabase
    private let state = Mutex(State())

    init(_ base: SQLiteDatabase) { self.base = base }
    init?(config: SQLiteConfig, context: ModuleContext) { nil }

    var heldCount: Int { state.withLock { $0.held.count } }

    /// Holds reads by a new rule, and lets go of those that it does not hold.
    func hold(_ rule: @escaping Rule) {
        let released = state.withLock { state in
            state.rule = rule
            let released = state.held.filter { !rule($0.statement, $0.values) }
            state.held.removeAll { !rule($0.statement, $0.values) }
            return released.map(\.continuation)
        }
        for continuation in released { continuation.resume() }
    }

    func query(_ statement: SQLStatement, _ parameters: [DataValue], limit: Int) async throws -> QueryResult {
        await withCheckedContinuation { continuation in
            let isHeld = state.withLock { state in
                guard state.rule(statement, parameters) else { return false }
                state.held.append((continuation, statement, parameters))
                return true
            }
            if !isHeld { continuation.resume() }
        }
        return try await base.query(statement, parameters, limit: limit)
    }

    func prepare(_ sql: String) throws(SQLProblem) -> SQLStatement { try base.prepare(sql) }
    func open() async throws { try await base.open() }
    func transaction(
        _ body: @escaping @Sendable (any DatabaseConnection) throws -> Void,
        completion: @escaping @Sendable (Result<Void, ModuleError>) -> Void
    ) {
        base.transaction(body, completion: completion)
    }
    func columns(of table: String) async throws -> [String]? { try await base.columns(of: table) }
    func close() async { await base.close() }
}
