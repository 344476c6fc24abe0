import Testing

@testable import HTTPServer

/// Several requests on one connection before the first answer.
struct PipeliningTests {
    private func requests(_ numbers: Range<Int>) -> String {
        numbers.map { "GET /\($0) HTTP/1.1\r\nHost: x\r\n\r\n" }.joined()
    }

    @Test func answersABurstInOrder() async throws {
        try await TestServer.run(handler: echo) { running in
            let client = try running.client()
            try client.send(requests(0..<1000))
            for number in 0..<1000 { #expect(try client.takeResponse().body == "GET /\(number) ") }
        }
    }

    @Test func putsAnswersFromOtherThreadsInOrder() async throws {
        let waiting = Shared<[HTTPExchange]>([])
        try await TestServer.run(handler: { exchange in waiting.update { $0.append(exchange) } }) { running in
            let client = try running.client()
            try client.send(requests(0..<5))
            await waitUntil("five requests are dispatched together") { waiting.current.count == 5 }
            for exchange in waiting.current.reversed() { echo(exchange) }
            waiting.update { $0 = [] }
            for number in 0..<5 { #expect(try client.takeResponse().body == "GET /\(number) ") }
        }
    }

    @Test func readsNoMoreThanTheDepthAllows() async throws {
        var settings = HTTPServerSettings()
        settings.pipelineDepthMax = 4
        let waiting = Shared<[HTTPExchange]>([])
        let most = Shared(0)
        let handler: @Sendable (HTTPExchange) -> Void = { exchange in
            waiting.update { $0.append(exchange) }
            let count = waiting.current.count
            most.update { $0 = max($0, count) }
        }
        try await TestServer.run(settings, handler: handler) { running in
            let client = try running.client()
            try client.send(requests(0..<40))
            for number in 0..<40 {
                await waitUntil("request \(number) is dispatched") { !waiting.current.isEmpty }
                let first = waiting.current.first
                waiting.update { $0.removeFirst() }
                if let first { echo(first) }
                #expect(try client.takeResponse().body == "GET /\(number) ")
            }
            #expect(most.current <= 4)
        }
    }

    @Test func boundsTheAnswersThatWaitForASlowReader() async throws {
        var settings = HTTPServerSettings()
        settings.outputBytesMax = 100_000
        let served = Shared(0)
        let body = SharedBytes(String(repeating: "x", count: 50_000))
        let handler: @Sendable (HTTPExchange) -> Void = { exchange in
            served.update { $0 += 1 }
            exchange.respond(.ok, body: body)
        }
        try await TestServer.run(settings, handler: handler) { running in
            let client = try TestClient(port: running.port, receiveBufferBytes: 4096)
            try client.send(requests(0..<1000))
            // 50 MB are asked for; the kernel's buffers and the limit hold back most of it until they are read.
            _ = try client.takeHead()
            #expect(served.current < 500)
            _ = try client.take(50_000)
            for _ in 1..<1000 { #expect(try client.takeResponse().body.utf8.count == 50_000) }
            #expect(served.current == 1000)
        }
    }

    @Test func asksForABodyOnlyAfterEarlierAnswers() async throws {
        let waiting = Shared<[HTTPExchange]>([])
        let handler: @Sendable (HTTPExchange) -> Void = { exchange in
            if exchange.request.path == "/wait" { waiting.update { $0.append(exchange) } } else { echo(exchange) }
        }
        try await TestServer.run(handler: handler) { running in
            let client = try running.client()
            try client.send(
                "GET /wait HTTP/1.1\r\nHost: x\r\n\r\nPUT /b HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n")
            await waitUntil("the first request is dispatched") { waiting.current.count == 1 }
            for exchange in waiting.current { echo(exchange) }
            waiting.update { $0 = [] }
            #expect(try client.takeResponse().body == "GET /wait ")
            #expect(try client.takeHead().status == 100)
            try client.send("hi")
            #expect(try client.takeResponse().body == "PUT /b hi")
        }
    }
}
