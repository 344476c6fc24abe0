import Foundation
import TestSupport
import Testing

@testable import MartletHost

/// `martlet test` in the built executable.
@Suite(.serialized) struct ConfigTestTests {
    private static let config = """
        {
          "databases": { "main": { "type": "postgres", "url": "postgres://${env:DB_HOST}/none", "schema": [
            { "id": "001", "sql": "CREATE TABLE items (id TEXT PRIMARY KEY, n BIGINT NOT NULL CHECK (n < 100))" } ] } },
          "pubsub": { "bus": { "type": "redis", "url": "redis://nowhere.invalid" } },
          "topics": { "items": { "partitions": 4 } },
          "sources": { "in": { "type": "http", "path": "/items", "publish": { "topic": "items", "key": "${/k}", "id": "${/id}" } } },
          "groups": {
            "store": { "topics": ["items"], "sink": { "type": "table", "database": "main", "table": "items",
              "columns": { "id": "${@id}", "n": "${/n}" } } },
            "print": { "topics": ["items"], "transforms": [{ "type": "jq", "program": "select(.n > 1)" }], "sink": { "type": "console" } },
            "push": { "topics": ["items"], "sink": { "type": "pubsub", "pubsub": "bus", "channel": "c" } }
          }
        }
        """

    private func run(_ tests: String, arguments: [String] = [], config: String = Self.config) async throws -> (run: CommandRun, folder: TemporaryFolder) {
        let folder = try TemporaryFolder()
        try folder.write(config, to: "config.json")
        try folder.write(#"{ "environment": { "DB_HOST": "nowhere.invalid" }, "tests": [\#(tests)] }"#, to: "config.test.json")
        return (try await CommandRun(["test"] + arguments, in: folder), folder)
    }

    private static let two = """
        { "request": { "path": "/items", "json": [{ "k": "a", "id": "1", "n": 1 }, { "k": "a", "id": "2", "n": 2 }] } }
        """

    @Test func whatComesOutIsSeen() async throws {
        let (run, _) = try await run(
            """
            { "name": "all of it", "given": [\(Self.two)], "expect": {
                "events": { "items": [{ "id": "1", "key": "a", "timestamp": "${timestamp}" }, { "id": "2", "payload": { "n": 2 } }] },
                "rows": [{ "database": "main", "table": "items", "rows": [{ "id": "2", "n": 2 }, { "id": "1", "n": "${integer}" }] },
                         { "database": "main", "sql": "SELECT sum(n) AS total FROM items", "rows": [{ "total": 3 }] }],
                "sinks": { "print": [{ "id": "${matches:[0-9]}", "payload": { "n": 2 } }] },
                "pubsub": { "bus": [{ "channel": "c", "id": "1" }, { "channel": "c", "id": "2", "headers": {} }] },
                "requests": [] } },
            { "name": "an event in, dead letters", "given": [
                { "event": { "topic": "items", "key": "b", "id": "x", "headers": { "h": "v" }, "payload": { "n": 100 } } }], "expect": {
                "rows": [{ "database": "main", "table": "items", "rows": [] }],
                "dead_letters": { "items": [{ "group": "store", "code": "sqlite.constraint", "id": "x", "headers": { "h": "v" }, "payload": { "n": 100 } }] } } }
            """)
        #expect(run.code == 0, "\(run.output)\(run.errors)")
        #expect(run.lines.first == "config.test.json" && run.lines.last == "2 tests passed", "\(run.output)")
    }

    static let failures: [(String, [String])] = [
        (#""events": { "items": [{ "id": "1" }, { "id": "3" }] }"#, ["topic items: event 2 of 2 differs:", #"/id: expected "3", found "2""#]),
        (#""events": { "items": [{ "id": "1" }] }"#, ["topic items: event was not expected: {", #""id":"2""#]),
        (#""events": { "items": [{ "id": "1" }, {}, {}] }"#, ["topic items: event 3 of 3 is missing: {}"]),
        (#""events": { "items": [{ "id": "2" }, { "id": "1" }] }"#, ["topic items: event came in another order than expected"]),
        (#""sinks": { "print": [{ "payload": { "n": 3 } }] }"#, ["sink of print: record 1 of 1 differs:", "/payload/n: expected 3, found 2"]),
        (#""pubsub": { "bus": [] }"#, ["bus bus: message was not expected"]),
        (#""exact": true, "sinks": { "print": [{ "id": "2" }] }"#, ["/payload: expected nothing, found"]),
        (#""rows": [{ "database": "main", "table": "items", "rows": [{ "id": "1", "n": "${string}" }, { "id": "2" }] }]"#, ["rows of items in main: row 1 of 2 differs:", #"/n: expected "${string}", found 1"#]),
        (#""rows": [{ "database": "main", "table": "itms", "rows": [] }]"#, ["rows of itms in main: rows cannot be read: ", "itms"]),
        (#""requests": [{ "url": "http://x" }]"#, ["outside: request 1 of 1 is missing"]),
    ]

    @Test(arguments: failures) func whatIsNotAsExpectedIsSaid(_ expect: String, _ texts: [String]) async throws {
        let (run, _) = try await run(#"{ "name": "t", "within_ms": 300, "given": [\#(Self.two)], "expect": { \#(expect) } }"#)
        #expect(run.code == 1)
        for text in texts { #expect(run.output.contains(text), "\(run.output)") }
        #expect(run.output.contains("FAIL  t (") && run.lines.last == "1 of 1 test failed")
    }

    @Test func anAnswerThatDiffersAndADeadLetterFail() async throws {
        let (run, _) = try await run(
            """
            { "name": "answer", "within_ms": 300, "given": [{ "request": { "path": "/items", "json": { "k": "a", "id": "1", "n": 1 } },
                "answer": { "status": 201, "json": { "id": "2" }, "headers": { "Content-Type": "text/plain" } } }] },
            { "name": "dead", "within_ms": 300, "given": [{ "event": { "topic": "items", "payload": {} } }] },
            { "name": "nowhere", "given": [{ "request": { "path": "/nowhere" } }] },
            { "name": "no source", "given": [{ "input": { "source": "in", "payload": 1 } }] }
            """)
        #expect(run.code == 1)
        for text in [
            "step 1: POST /items: status: expected 201, found 202", #"body: /id: expected "2", found "1""#,
            #"header Content-Type: expected "text/plain", found "application/json""#,
            "dead letters of items: dead letter was not expected", "GET /nowhere was answered 404", "no source `in` waits for inputs",
        ] { #expect(run.output.contains(text), "\(text) is not in\n\(run.output)") }
    }

    private static let outgoing = """
        {
          "databases": { "main": { "type": "sqlite", "path": "main.db" } },
          "pubsub": { "bus": { "type": "memory" } },
          "auth": { "keys": { "type": "api_key", "keys": [{ "name": "ana", "key": "0123456789abcdef" }] } },
          "topics": { "items": {} },
          "groups": {
            "push": { "topics": ["items"], "sink": { "type": "pubsub", "pubsub": "bus", "channel": "items" } },
            "hooks": { "topics": ["items"], "deliver_to": "partners" },
            "post": { "topics": ["items"], "sink": { "type": "http", "url": "https://example.com/items/${/n}", "body": { "n": "${/n}" } } }
          },
          "channels": {
            "all": { "type": "sse", "path": "/all", "subscribe": { "pubsub": "bus", "channel": "items" }, "event_name": "${/kind:-item}" },
            "own": { "type": "sse", "path": "/own/{user}", "auth": "keys", "subscribe": { "pubsub": "bus", "channel": "items" },
                     "match": { "message": "${@key}", "connection": "${@path.user}", "claim": "sub" } },
            "partners": { "type": "webhook", "database": "main", "endpoints": {
              "one": { "url": "https://example.com/hooks", "secrets": ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"] } } }
          }
        }
        """

    private static let items = [("ana", 1), ("ben", 2), ("ana", 3)].map { key, n in
        #"{ "event": { "topic": "items", "key": "\#(key)", "id": "id-\#(n)", "payload": { "n": \#(n) } } }"#
    }

    @Test func streamsAndRequestsOutAreSeen() async throws {
        let (run, _) = try await run(
            """
            { "name": "streams", "given": [
                { "stream": { "name": "all", "path": "/all" }, "answer": { "status": 200, "headers": { "Content-Type": "text/event-stream" } } },
                { "stream": { "name": "ana", "path": "/own/ana", "headers": { "X-API-Key": "0123456789abcdef" } } },
                { "stream": { "name": "nobody", "path": "/own/ana" }, "answer": { "status": 401, "json": { "status": 401 } } },
                \(Self.items.joined(separator: ", "))],
              "expect": { "streams": {
                "all": [{ "event": "item", "data": { "n": 1 } }, { "data": { "n": 2 } }, { "data": { "n": 3 } }],
                "ana": [{ "event": "message", "data": { "n": 1 } }, { "data": { "n": 3 } }] } } },
            { "name": "requests", "given": [\(Self.items[0])], "expect": { "requests": [
                { "method": "POST", "url": "https://example.com/hooks", "json": { "n": 1 },
                  "headers": { "webhook-id": "id-1", "webhook-timestamp": "${matches:[0-9]+}", "webhook-signature": "${matches:v1,.+}" } },
                { "method": "POST", "url": "https://example.com/items/1", "json": { "n": 1 } }] } }
            """, config: Self.outgoing)
        #expect(run.code == 0, "\(run.output)\(run.errors)")
    }

    @Test func aStreamThatIsNotAsExpectedIsSaid() async throws {
        let open = #"{ "stream": { "name": "all", "path": "/all" } }"#
        let tests = [
            (#""all": [{ "data": { "n": 1 } }, { "data": { "n": 2 } }]"#, "[\(open), \(Self.items.joined(separator: ", "))]"),
            (#""all": [{ "data": { "n": 2 } }, { "data": { "n": 1 } }, { "data": { "n": 3 } }]"#, "[\(open), \(Self.items.joined(separator: ", "))]"),
            (#""other": []"#, "[\(open)]"),
            (#""all": []"#, "[\(open), \(open)]"),
            ("", #"[{ "stream": { "name": "own", "path": "/own/ana" } }]"#),
        ].enumerated().map { #"{ "name": "t\#($0.offset)", "within_ms": 300, "given": \#($0.element.1), "expect": { "streams": { \#($0.element.0) } } }"# }
        let (run, _) = try await run(tests.joined(separator: ", "), config: Self.outgoing)
        #expect(run.code == 1 && run.lines.last == "5 of 5 tests failed", "\(run.output)\(run.errors)")
        for text in [
            "stream all: event was not expected: {", "stream all: event came in another order than expected", "stream other: no step opens it",
            "step 2: the stream all at /all: another step has opened a stream of that name", "step 1: the stream own at /own/ana was answered 401",
        ] { #expect(run.output.contains(text), "\(text) is not in\n\(run.output)") }
    }

    @Test func junitTellsTheSame() async throws {
        let (run, folder) = try await run(
            #"{ "name": "good & <fine>", "given": [] }, { "name": "bad", "within_ms": 500, "given": [], "expect": { "events": { "items": [{}] } } }"#,
            arguments: ["--junit", "out.xml"])
        #expect(run.code == 1)
        let document = try XMLText(folder.read("out.xml"))
        #expect(document.text.contains(#"<testsuite name="config.test.json" tests="2" failures="1""#))
        #expect(document.text.contains(#"name="good &amp; &lt;fine&gt;""#))
        #expect(document.text.contains(#"<failure message="topic items: event 1 of 1 is missing: {}">"#))
    }

    static let badFiles: [(String, String)] = [
        (#"{ "tests": [{ "name": "t", "givn": [] }] }"#, "unknown key `givn`; did you mean `given`?"),
        (#"{ "tests": [{ "name": "t", "given": [{}] }] }"#, "a step has one of `request`, `event`, `input` and `stream`, found none of them"),
        (#"{ "tests": [{ "name": "t", "given": [], "expect": { "pubsub": { "bus": ["${uid}"] } } }] }"#, "unknown pattern `${uid}`"),
        (#"{ "tests": [{ "name": "t", "given": [], "expect": { "requests": ["${matches:[}"] } }] }"#, "`[` is no regular expression"),
        (#"{ "config": "none.json", "tests": [{ "name": "t", "given": [] }] }"#, "none.json: cannot be read"),
    ]

    @Test(arguments: badFiles) func aBadFileIsAConfigProblem(_ text: String, _ problem: String) async throws {
        let folder = try TemporaryFolder()
        try folder.write(#"{ "topics": {} }"#, to: "config.json")
        try folder.write(text, to: "config.test.json")
        let run = try await CommandRun(["test"], in: folder)
        #expect(run.code == 78)
        #expect(run.errors.contains(problem), "\(run.errors)")
    }

    /// The shipped flow, as its users test it.
    @Test func theShippedFlowPassesItsTests() async throws {
        let run = try await CommandRun(["test", "\(Compiler.package)/Tests/config.test.json"], in: try TemporaryFolder())
        #expect(run.code == 0, "\(run.output)\(run.errors)")
        #expect(run.lines.count > 5)
    }

    @Test func thePagesExampleIsATest() async throws {
        let page = try String(contentsOfFile: Compiler.package + "/Sources/Pipelines/Pipelines.docc/TestingAConfig.md", encoding: .utf8)
        let start = try #require(page.range(of: "```json\n"))
        let end = try #require(page.range(of: "```", range: start.upperBound..<page.endIndex))
        let folder = try TemporaryFolder()
        try folder.write(
            page[start.upperBound..<end.lowerBound].replacingOccurrences(of: "../config.json", with: Compiler.package + "/config.json"),
            to: "page.test.json")
        let run = try await CommandRun(["test", "page.test.json"], in: folder)
        #expect(run.code == 0, "\(run.output)\(run.errors)")
    }
}

/// XML that a parser reads.
private struct XMLText {
    let text: String

    init(_ text: String) throws {
        self.text = text
        guard text.hasPrefix("<?xml"), text.filter({ $0 == "<" }).count == text.filter({ $0 == ">" }).count else { throw TestFailure("no XML: \(text)") }
    }
}
