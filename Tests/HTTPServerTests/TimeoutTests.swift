import Testing

@testable import HTTPServer

/// Clients that are too slow, too many, or leave.
struct TimeoutTests {
    private func settings(_ change: (inout HTTPServerSettings) -> Void) -> HTTPServerSettings {
        var settings = HTTPServerSettings()
        change(&settings)
        return settings
    }

    @Test func endsASlowHeader() async throws {
        try await TestServer.run(settings { $0.headerTimeout = .milliseconds(100) }, handler: echo) { running in
            let client = try running.client()
            try client.send("GET / HTTP/1.1\r\nHost: x\r\nX-Slow: ")
            let response = try client.takeResponse()
            #expect(response.status == 408)
            #expect(response.body.contains("the request's header did not arrive in time"))
            #expect(try client.takeToEnd() == "")
        }
    }

    @Test func endsASlowLorisThatKeepsSending() async throws {
        try await TestServer.run(settings { $0.headerTimeout = .milliseconds(150) }, handler: echo) { running in
            let client = try running.client()
            try client.send("GET / HTTP/1.1\r\nHost: x\r\n")
            // A field every few milliseconds does not buy time.
            while running.server.counters.refused == 0 {
                do { try client.send("A: b\r\n") } catch { break }
                try await Task.sleep(for: .milliseconds(10))
            }
            #expect(try client.takeResponse().status == 408)
        }
    }

    @Test func endsABodyWithoutProgress() async throws {
        try await TestServer.run(settings { $0.bodyTimeout = .milliseconds(100) }, handler: echo) { running in
            let client = try running.client()
            try client.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nabc")
            #expect(try client.takeResponse().body.contains("the request's body did not arrive in time"))
        }
    }

    @Test func endsAnIdleConnectionWithoutAWord() async throws {
        try await TestServer.run(settings { $0.idleTimeout = .milliseconds(100) }, handler: echo) { running in
            let fresh = try running.client()
            #expect(try fresh.takeToEnd() == "")
            let used = try running.client()
            #expect(try used.get("/").status == 200)
            #expect(try used.takeToEnd() == "")
        }
    }

    @Test func endsAConnectionWhoseClientReadsNothing() async throws {
        let body = SharedBytes(String(repeating: "x", count: 20_000_000))
        let settings = settings { $0.writeStallTimeout = .milliseconds(200) }
        try await TestServer.run(settings, handler: { $0.respond(.ok, body: body) }) { running in
            let client = try TestClient(port: running.port, receiveBufferBytes: 4096)
            try client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            await waitUntil("the answer is begun") { running.server.counters.bytesOut > 0 }
            await waitUntil("the stalled connection is closed") { running.server.counters.openConnections == 0 }
            #expect(running.server.counters.bytesOut < 20_000_000)
        }
    }

    @Test func doesNotTimeOutARequestThatItsHandlerStillHas() async throws {
        let waiting = Shared<[HTTPExchange]>([])
        let settings = settings {
            $0.idleTimeout = .milliseconds(50)
            $0.headerTimeout = .milliseconds(50)
        }
        try await TestServer.run(settings, handler: { exchange in waiting.update { $0.append(exchange) } }) { running in
            let client = try running.client()
            try client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            // Another connection's life takes longer than the timeouts of the first.
            let other = try running.client()
            #expect(try other.takeToEnd() == "")
            for exchange in waiting.current { echo(exchange) }
            waiting.update { $0 = [] }
            #expect(try client.takeResponse().status == 200)
        }
    }

    /// While others of its connection wait for their answers nothing of it is read: that is not its client's delay.
    @Test(arguments: [
        ("GET /b HTTP/1.1\r\nHo", "st: x\r\n\r\n", "GET /b "),
        ("PUT /b HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nab", "cd", "PUT /b abcd"),
    ])
    func aRequestThatWasNotReadForAWhileHasItsWholeTime(begin: String, rest: String, answer: String) async throws {
        let waiting = Shared<[HTTPExchange]>([])
        let handler: @Sendable (HTTPExchange) -> Void = { exchange in
            if exchange.request.path == "/a" { waiting.update { $0.append(exchange) } } else { echo(exchange) }
        }
        let settings = settings {
            $0.pipelineDepthMax = 1
            $0.idleTimeout = .milliseconds(100)
        }
        try await TestServer.run(settings, handler: handler) { running in
            let client = try running.client()
            try client.send("GET /a HTTP/1.1\r\nHost: x\r\n\r\n" + begin)
            await waitUntil("the first request is dispatched") { waiting.current.count == 1 }
            for exchange in waiting.current { echo(exchange) }
            waiting.update { $0 = [] }
            #expect(try client.takeResponse().body == "GET /a ")
            // Another connection's life is long, and shorter than the time for a request.
            #expect(try running.client().takeToEnd() == "")
            try client.send(rest)
            #expect(try client.takeResponse().body == answer)
        }
    }

    @Test func refusesConnectionsBeyondTheLimit() async throws {
        try await TestServer.run(loops: 2, settings { $0.connectionCountMax = 3 }, handler: echo) { running in
            let admitted = try (0..<3).map { _ in try running.client() }
            for client in admitted { #expect(try client.get("/").status == 200) }
            let refused = try running.client()
            let response = try refused.takeResponse()
            #expect(response.status == 503)
            #expect(response.header("Retry-After") == "5")
            #expect(response.header("Connection") == "close")
            #expect(try refused.takeToEnd() == "")
            #expect(running.server.counters.rejected == 1)
            admitted[0].close()
            await waitUntil("the place is free") { running.server.counters.openConnections == 2 }
            #expect(try running.get("/").status == 200)
        }
    }

    @Test func letsGoOfAClientThatLeavesMidRequest() async throws {
        try await TestServer.run(handler: echo) { running in
            for rest in ["GET / HT", "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nabc"] {
                let client = try running.client()
                try client.send(rest)
                await waitUntil("the server has read it") { running.server.counters.openConnections == 1 }
                client.reset()
                await waitUntil("the connection is closed") { running.server.counters.openConnections == 0 }
            }
            #expect(running.server.counters.requests == 0)
        }
    }

    @Test func tellsAHandlerThatItsClientLeft() async throws {
        let waiting = Shared<[HTTPExchange]>([])
        try await TestServer.run(handler: { exchange in waiting.update { $0.append(exchange) } }) { running in
            let client = try running.client()
            try client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            await waitUntil("the request is dispatched") { waiting.current.count == 1 }
            #expect(waiting.current[0].hasClientLeft == false)
            client.reset()
            await waitUntil("the exchange knows") { waiting.current[0].hasClientLeft }
            await waitUntil("the connection is closed") { running.server.counters.openConnections == 0 }
            echo(waiting.current[0])
            waiting.update { $0 = [] }
        }
    }

    @Test func answersAClientThatOnlyStoppedSending() async throws {
        try await TestServer.run(handler: echo) { running in
            let client = try running.client()
            try client.send("GET /a HTTP/1.1\r\nHost: x\r\n\r\nGET /b HTTP/1.1\r\nHost: x\r\n\r\nGET /cut")
            client.endSending()
            #expect(try client.takeResponse().body == "GET /a ")
            #expect(try client.takeResponse().body == "GET /b ")
            #expect(try client.takeToEnd() == "")
        }
    }
}
