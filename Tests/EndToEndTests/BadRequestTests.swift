import Foundation
import TestSupport
import Testing

extension EndToEnd {
    /// What clients send wrong, against the shipped config: the right status, problem details, nothing stuck.
    @Suite struct BadRequestTests {
        /// One bad request and its answer.
        struct Case: Sendable, CustomTestStringConvertible {
            let testDescription: String
            let method: String
            let path: String
            let headers: [String]
            let body: String?
            let status: Int
            /// A part of `detail`.
            let detail: String

            init(
                _ name: String, _ method: String = "POST", _ path: String = "/likes",
                headers: [String] = ["Content-Type: application/json"], body: String? = nil, status: Int, detail: String
            ) {
                testDescription = name
                self.method = method
                self.path = path
                self.headers = headers
                self.body = body
                self.status = status
                self.detail = detail
            }
        }

        static let cases: [Case] = [
            Case("not JSON", body: "actor=ann", status: 400, detail: "JSON"),
            Case("half an object", body: #"{"actor":"ann""#, status: 400, detail: "JSON"),
            Case("no body", body: "", status: 400, detail: ""),
            Case("two values", body: #"{"a":1}{"a":2}"#, status: 400, detail: ""),
            Case("missing field", body: #"{"actor":"ann","post_id":1}"#, status: 422, detail: "post_owner"),
            Case("mistyped field", body: #"{"actor":"ann","post_id":"1","post_owner":"bob"}"#, status: 422, detail: "/post_id"),
            Case("empty name", body: #"{"actor":"","post_id":1,"post_owner":"bob"}"#, status: 422, detail: "/actor"),
            Case("a string", body: #""ann""#, status: 422, detail: ""),
            Case(
                "duplicate key", body: #"{"actor":"ann","post_id":1,"post_owner":"bob","actor":"eve"}"#, status: 400,
                detail: "actor"),
            Case("not UTF-8", body: "{\"actor\":\"\u{0}\"}", status: 400, detail: ""),
            Case("unknown route", "GET", "/like", headers: [], status: 404, detail: "/like"),
            Case("unknown route below a known one", "POST", "/likes/1", body: "{}", status: 404, detail: "/likes/1"),
            Case("wrong method", "DELETE", "/likes", headers: [], status: 405, detail: "DELETE"),
            Case("wrong method of a query", "POST", "/users/bob/notifications", body: "{}", status: 405, detail: "POST"),
            Case(
                "wrong content type", headers: ["Content-Type: text/xml"],
                body: #"{"actor":"ann","post_id":1,"post_owner":"bob"}"#, status: 415, detail: "text/xml"),
            Case("header bomb", headers: ["X-Bomb: " + String(repeating: "b", count: 40_000)], status: 431, detail: ""),
            Case(
                "many headers", headers: (0..<2000).map { "X-\($0): 1" }, status: 431, detail: ""),
        ]

        @Test func eachBadRequestGetsItsAnswerAndTheHostServesOn() async throws {
            let folder = try TemporaryFolder()
            let host = try await HostProcess.startShipped(in: folder)
            for item in Self.cases {
                let answer = try await host.send(item.method, item.path, headers: item.headers, body: item.body)
                #expect(answer.status == item.status, "\(item.testDescription): \(answer.body)")
                #expect(answer.headers["content-type"] == "application/problem+json", "\(item.testDescription)")
                #expect(answer.object["status"] as? Int == item.status, "\(item.testDescription): \(answer.body)")
                #expect(answer.text("title")?.isEmpty == false, "\(item.testDescription): \(answer.body)")
                let detail = answer.text("detail") ?? ""
                #expect(item.detail.isEmpty || detail.contains(item.detail), "\(item.testDescription): \(answer.body)")
                if item.status == 405 { #expect(answer.headers["allow"]?.isEmpty == false, "\(item.testDescription)") }
            }
            #expect(try await host.like(Like("ann", of: "bob")).status == 201)
            try await eventually("only the good like") { try await host.notifications(of: "bob").count == 1 }
            #expect(try await host.stop() == 0)
            #expect(try SQLiteFile(path: folder["data/main.db"]).rows("SELECT actor FROM likes") == [["ann"]])
        }

        @Test func aBodyOverTheLimitIs413BeforeItIsRead() async throws {
            let folder = try TemporaryFolder()
            let host = try await HostProcess.startShipped(in: folder, set: ["host.max_body_bytes=4096"])
            let address = host.address
            // The length alone is enough.
            let announced = try await onThread {
                let connection = try HTTPConnection(address)
                try connection.send("POST /likes HTTP/1.1\r\nHost: t\r\nContent-Type: application/json\r\nContent-Length: 999999\r\n\r\n")
                return try connection.readAnswer()
            }
            #expect(announced.status == 413)
            #expect(announced.headers["content-type"] == "application/problem+json")
            // A chunked body says its length only as it comes.
            let chunked = try await onThread {
                let connection = try HTTPConnection(address)
                try connection.send("POST /likes HTTP/1.1\r\nHost: t\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n")
                for _ in 0..<5 { try connection.send("400\r\n" + String(repeating: "a", count: 1024) + "\r\n") }
                return try connection.readAnswer()
            }
            #expect(chunked.status == 413)
            #expect(try await host.like(Like("ann", of: "bob")).status == 201)
            #expect(try await host.stop() == 0)
        }

        @Test func slowClientsAreTimedOutAndHoldNobodyUp() async throws {
            let folder = try TemporaryFolder()
            let host = try await HostProcess.startShipped(
                in: folder, set: ["host.header_timeout_seconds=1", "host.body_timeout_seconds=1"])
            let address = host.address
            let starts = [
                "POST /likes HTTP/1.1\r\nHost: t\r\nX-Slow",
                "POST /likes HTTP/1.1\r\nHost: t\r\nContent-Type: application/json\r\nContent-Length: 50\r\n\r\n{\"act",
            ]
            async let slow: [HTTPAnswer] = onThreads(20) { index in
                let connection = try HTTPConnection(address)
                try connection.send(starts[index % 2])
                let answer = try connection.readAnswer()
                guard try connection.isAtEnd() else { throw TestFailure("the connection stays open") }
                return answer
            }
            // Meanwhile others are served.
            try await host.likeAll((1...50).map { Like("a\($0)", of: "bob") })
            for answer in try await slow {
                #expect(answer.status == 408)
                #expect(answer.headers["content-type"] == "application/problem+json")
            }
            try await eventually("all connections closed") { try await host.metrics().value("martlet_http_connections") == 0 }
            #expect(try await host.stop() == 0)
        }

        @Test func clientsThatLeaveInTheMiddleLeaveNothingBehind() async throws {
            let folder = try TemporaryFolder()
            let host = try await HostProcess.startShipped(in: folder)
            let address = host.address
            let whole = HTTPConnection.text(
                "POST", "/likes", headers: ["Content-Type: application/json"], body: Like("gone", of: "bob").json)
            _ = try await onThreads(8) { index in
                for cut in stride(from: 5 + index, to: whole.utf8.count, by: 16) {
                    let connection = try HTTPConnection(address)
                    try connection.send(String(whole.prefix(cut)))
                    connection.close()
                }
                // Sent in whole, and gone before the answer.
                let connection = try HTTPConnection(address)
                try connection.send(whole)
                connection.close()
            }
            let stream = StreamClient(HostProcess.streamPath(of: "bob"))
            try await host.connect(stream)
            try await stream.disconnect()
            #expect(try await host.like(Like("ann", of: "bob")).status == 201)
            try await eventually("the notification") { try await host.notifications(of: "bob").count >= 1 }
            try await eventually("no connection") { try await host.metrics().value("martlet_http_connections") == 0 }
            try await eventually("no stream") { try await host.metrics().value("martlet_sse_connections") == 0 }
            #expect(try await host.stop() == 0)
            let likes = try SQLiteFile(path: folder["data/main.db"]).rows("SELECT actor FROM likes ORDER BY actor").map { $0[0] }
            #expect(likes == ["ann"] || likes == ["ann", "gone"])
        }
    }
}
