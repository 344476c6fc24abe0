import Testing

@testable import HTTPServer

/// Graceful stop.
struct StopTests {
    @Test func answersWhatIsInFlightAndClosesWhatIsIdle() async throws {
        let waiting = Shared<[HTTPExchange]>([])
        let handler: @Sendable (HTTPExchange) -> Void = { exchange in
            if exchange.request.path == "/slow" { waiting.update { $0.append(exchange) } } else { echo(exchange) }
        }
        try await TestServer.run(loops: 2, handler: handler) { running in
            let idle = try running.client()
            #expect(try idle.get("/").status == 200)
            let busy = try running.client()
            try busy.send("GET /slow HTTP/1.1\r\nHost: x\r\n\r\n")
            await waitUntil("the slow request is dispatched") { waiting.current.count == 1 }
            let sending = try running.client()
            let before = running.server.counters.bytesIn
            try sending.send("POST /late HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n")
            await waitUntil("the head of the late request has come") { running.server.counters.bytesIn > before }

            async let stopped: Void = running.server.stop(grace: .seconds(30))
            #expect(try idle.takeToEnd() == "")
            await waitUntil("no loop listens any more") { (try? running.client()) == nil }
            try sending.send("hi")
            let late = try sending.takeResponse()
            #expect(late.body == "POST /late hi")
            #expect(late.header("Connection") == "close")
            for exchange in waiting.current { echo(exchange) }
            waiting.update { $0 = [] }
            let slow = try busy.takeResponse()
            #expect(slow.body == "GET /slow ")
            #expect(slow.header("Connection") == "close")
            sending.close()
            busy.close()
            await stopped
            #expect(running.server.counters.openConnections == 0)
        }
    }

    @Test func letsStreamsSayGoodbye() async throws {
        let handler: @Sendable (HTTPExchange) -> Void = { exchange in
            let stream = exchange.startStream()
            guard exchange.request.path == "/polite" else { return }
            stream.onServerStopping = {
                _ = stream.write(.text("event: bye\n\n"))
                stream.close()
            }
        }
        try await TestServer.run(handler: handler) { running in
            let clients = try ["/polite", "/plain"].map { path in
                let client = try running.client()
                try client.send("GET \(path) HTTP/1.1\r\nHost: x\r\n\r\n")
                _ = try client.takeHead()
                return client
            }
            async let stopped: Void = running.server.stop(grace: .seconds(30))
            #expect(try clients[0].takeToEnd() == "c\r\nevent: bye\n\n\r\n0\r\n\r\n")
            #expect(try clients[1].takeToEnd() == "0\r\n\r\n")
            for client in clients { client.close() }
            await stopped
        }
    }

    @Test func closesWhatIsLeftAfterTheGracePeriod() async throws {
        let waiting = Shared<[HTTPExchange]>([])
        let reasons = Shared<[HTTPStream.CloseReason]>([])
        let handler: @Sendable (HTTPExchange) -> Void = { exchange in
            guard exchange.request.path == "/stream" else { return waiting.update { $0.append(exchange) } }
            let stream = exchange.startStream()
            stream.onServerStopping = {}
            stream.onClose = { reason in reasons.update { $0.append(reason) } }
        }
        try await TestServer.run(handler: handler) { running in
            let stream = try running.client()
            try stream.send("GET /stream HTTP/1.1\r\nHost: x\r\n\r\n")
            _ = try stream.takeHead()
            let stuck = try running.client()
            try stuck.send("GET /stuck HTTP/1.1\r\nHost: x\r\n\r\n")
            await waitUntil("both are under way") { waiting.current.count == 1 }
            await running.server.stop(grace: .milliseconds(100))
            #expect(running.server.counters.openConnections == 0)
            #expect(reasons.current == [.serverStopped])
            #expect(waiting.current[0].hasClientLeft)
            waiting.update { $0 = [] }
        }
    }

    @Test func listensNoMore() async throws {
        try await TestServer.run(handler: echo) { running in
            await running.server.stop(grace: .zero)
            let address = ListenAddress(host: "127.0.0.1", port: 0)
            #expect(throws: HTTPServerError.stopped(address)) { try running.server.listen(on: address) }
        }
    }
}
