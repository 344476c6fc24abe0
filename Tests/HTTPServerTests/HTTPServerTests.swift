import Testing

@testable import HTTPServer

/// Requests and answers over real sockets.
struct HTTPServerTests {
    @Test func keepsTheConnectionBetweenRequests() async throws {
        try await TestServer.run(handler: echo) { running in
            let client = try running.client()
            for number in 0..<3 {
                let response = try client.get("/\(number)")
                #expect(response.status == 200)
                #expect(response.body == "GET /\(number) ")
                #expect(response.header("Content-Type") == "text/plain; charset=utf-8")
                #expect(response.header("Connection") == nil)
                #expect(response.header("Server") == nil)
                #expect(response.header("Date")?.hasSuffix(" GMT") == true)
            }
            #expect(running.server.counters.accepted == 1)
            #expect(running.server.counters.requests == 3)
        }
    }

    @Test func closesWhenTheClientAsksForIt() async throws {
        try await TestServer.run(handler: echo) { running in
            let client = try running.client()
            try client.send("GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\nGET /ignored HTTP/1.1\r\nHost: x\r\n\r\n")
            let response = try client.takeResponse()
            #expect(response.header("Connection") == "close")
            #expect(try client.takeToEnd() == "")
            #expect(running.server.counters.requests == 1)
        }
    }

    @Test func speaksHTTP10() async throws {
        try await TestServer.run(handler: echo) { running in
            let once = try running.client()
            try once.send("GET / HTTP/1.0\r\n\r\n")
            #expect(try once.takeResponse().header("Connection") == "close")
            #expect(try once.takeToEnd() == "")
            let kept = try running.client()
            try kept.send("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
            #expect(try kept.takeResponse().header("Connection") == "keep-alive")
            try kept.send("GET / HTTP/1.0\r\n\r\n")
            #expect(try kept.takeResponse().header("Connection") == "close")
        }
    }

    @Test func takesBodiesSplitAnywhere() async throws {
        try await TestServer.run(handler: echo) { running in
            let request =
                "POST /a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nWiki\r\n5\r\npedia\r\n0\r\n\r\n"
                + "PUT /b HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello"
            let client = try running.client()
            for byte in request.utf8 { try client.send([byte]) }
            #expect(try client.takeResponse().body == "POST /a Wikipedia")
            #expect(try client.takeResponse().body == "PUT /b hello")
        }
    }

    @Test func takesABodyAsLargeAsTheLimit() async throws {
        try await TestServer.run(handler: echo) { running in
            let body = String(repeating: "0123456789abcdef", count: 65536)
            let client = try running.client()
            try client.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)")
            #expect(try client.takeResponse().body == "POST / \(body)")
            #expect(try client.get("/next").status == 200)
        }
    }

    @Test func refusesALargerBodyAndLetsTheClientReadWhy() async throws {
        try await TestServer.run(handler: echo) { running in
            let client = try running.client()
            try client.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3000000\r\n\r\n")
            // The client goes on sending before it looks at the answer.
            try client.send([UInt8](repeating: 0x61, count: 3_000_000))
            let response = try client.takeResponse()
            #expect(response.status == 413)
            #expect(response.header("Connection") == "close")
            #expect(running.server.counters.refused == 1)
        }
    }

    @Test func sendsContinueWhenTheClientWaitsForIt() async throws {
        try await TestServer.run(handler: echo) { running in
            let client = try running.client()
            try client.send("POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n")
            #expect(try client.takeHead().status == 100)
            try client.send("hi")
            #expect(try client.takeResponse().body == "POST / hi")
            try client.send("GET / HTTP/1.1\r\nHost: x\r\nExpect: something\r\n\r\n")
            #expect(try client.takeResponse().status == 417)
        }
    }

    @Test func answersHeadWithoutABody() async throws {
        try await TestServer.run(handler: echo) { running in
            let client = try running.client()
            try client.send("HEAD /a HTTP/1.1\r\nHost: x\r\n\r\n")
            #expect(try client.takeResponse(toHead: true).header("Content-Length") == "8")
            #expect(try client.get("/b").body == "GET /b ")
        }
    }

    @Test func sendsNoContentLengthWhereNoneBelongs() async throws {
        try await TestServer.run(handler: { $0.respond(.noContent) }) { running in
            let response = try running.get("/")
            #expect(response.status == 204)
            #expect(response.header("Content-Length") == nil)
        }
    }

    @Test func describesARefusalAndCloses() async throws {
        try await TestServer.run(handler: echo) { running in
            let client = try running.client()
            try client.send("GET /first HTTP/1.1\r\nHost: x\r\n\r\nGET / HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n")
            #expect(try client.takeResponse().body == "GET /first ")
            let response = try client.takeResponse()
            #expect(response.status == 400)
            #expect(response.header("Content-Type") == "application/problem+json")
            #expect(response.header("Connection") == "close")
            #expect(
                response.body
                    == "{\"type\":\"about:blank\",\"title\":\"Bad Request\",\"status\":400,\"detail\":\"more than one Host field; expected one\"}\n"
            )
            #expect(try client.takeToEnd() == "")
        }
    }

    @Test(arguments: RequestCases.refusedHeads + RequestCases.refusedFraming + RequestCases.limits.filter { $0.expected != [200] })
    func refusesOverTheWire(_ expectation: RequestCases.Case) async throws {
        try await TestServer.run(handler: echo) { running in
            let client = try running.client()
            try client.send(expectation.bytes.unicodeScalars.map { UInt8($0.value) })
            #expect([try client.takeResponse().status] == expectation.expected)
            #expect(try client.takeToEnd() == "")
        }
    }

    @Test func answersAHandlerThatDoesNot() async throws {
        try await TestServer.run(handler: { _ in }) { running in
            let client = try running.client()
            let response = try client.get("/")
            #expect(response.status == 500)
            #expect(response.body.contains("the handler of this request ended without an answer"))
            #expect(try client.get("/").status == 500)
        }
    }

    @Test func spreadsOverLoops() async throws {
        let seen = Shared(Set<Int>())
        let handler: @Sendable (HTTPExchange) -> Void = { exchange in
            let index = exchange.loop.index
            seen.update { $0.insert(index) }
            exchange.respond(.ok)
        }
        try await TestServer.run(loops: 2, handler: handler) { running in
            for _ in 0..<200 where seen.current.count < 2 { _ = try running.get("/") }
            #expect(seen.current == [0, 1])
        }
    }

    @Test func sendsLargeBodiesToASlowReader() async throws {
        let body = SharedBytes(String(repeating: "martlet ", count: 500_000))
        try await TestServer.run(handler: { $0.respond(.ok, body: body) }) { running in
            let client = try TestClient(port: running.port, receiveBufferBytes: 4096)
            try client.send("GET /1 HTTP/1.1\r\nHost: x\r\n\r\nGET /2 HTTP/1.1\r\nHost: x\r\n\r\n")
            #expect(try client.takeResponse().body.utf8.count == 4_000_000)
            #expect(try client.takeResponse().body.utf8.count == 4_000_000)
        }
    }

    @Test func countsBytes() async throws {
        try await TestServer.run(handler: echo) { running in
            let client = try running.client()
            let request = "GET / HTTP/1.1\r\nHost: x\r\n\r\n"
            try client.send(request)
            let answer = try client.takeThrough("GET / ")
            #expect(running.server.counters.bytesIn == request.utf8.count)
            await waitUntil("the bytes sent are counted") { running.server.counters.bytesOut == answer.utf8.count }
        }
    }
}
