import Testing

@testable import HTTPServer

/// Streams over real sockets.
struct HTTPStreamTests {
    /// The streams of one test, and what became of them.
    private final class Hub: Sendable {
        let streams = Shared<[HTTPStream]>([])
        let closed = Shared<[HTTPStream.CloseReason]>([])
        let queueBytesMax: Int

        init(queueBytesMax: Int = 256 * 1024) {
            self.queueBytesMax = queueBytesMax
        }

        @Sendable func open(_ exchange: HTTPExchange) {
            let stream = exchange.startStream(headers: ["Content-Type": "text/event-stream"], queueBytesMax: queueBytesMax)
            stream.onClose = { [closed] reason in closed.update { $0.append(reason) } }
            streams.update { $0.append(stream) }
        }

        /// Writes one message to all streams in one turn of the loop.
        func write(_ chunk: StreamChunk, on loop: EventLoop) async -> [HTTPStream.WriteResult] {
            await loop.run { [streams] in streams.current.map { $0.write(chunk) } }
        }
    }

    private func subscribe(_ running: TestServer, _ hub: Hub) throws -> TestClient {
        let client = try running.client()
        try client.send("GET /stream HTTP/1.1\r\nHost: x\r\n\r\n")
        let head = try client.takeHead()
        #expect(head.status == 200)
        #expect(head.header("Transfer-Encoding") == "chunked")
        #expect(head.header("Connection") == "close")
        #expect(head.header("Content-Length") == nil)
        return client
    }

    @Test func sendsOneMessageToAll() async throws {
        let hub = Hub()
        try await TestServer.run(handler: hub.open) { running in
            let clients = try (0..<50).map { _ in try subscribe(running, hub) }
            for number in 0..<20 {
                let results = await hub.write(.text("data: \(number)\n\n"), on: running.loop)
                #expect(results == Array(repeating: .accepted, count: 50))
            }
            for client in clients {
                for number in 0..<20 { #expect(try client.takeChunk() == "data: \(number)\n\n") }
            }
            #expect(running.server.counters.openStreams == 50)
        }
        #expect(hub.closed.current.count == 50)
    }

    /// Enough for the loop to send them together: those that read get everything in order, those that do not hold nobody up,
    /// and those that left are noticed.
    @Test func manyStreamsAreSentTogether() async throws {
        let hub = Hub(queueBytesMax: 64 * 1024)
        try await TestServer.run(handler: hub.open) { running in
            var clients = try (0..<80).map { _ in try subscribe(running, hub) }
            clients.removeSubrange(70...)
            var overflown: Set<Int> = []
            for number in 0..<400 {
                let text = "data: \(number) \(String(repeating: "x", count: number * 97 % 60_000))\n\n"
                let results = await hub.write(.text(text), on: running.loop)
                for (index, result) in results.enumerated() where result == .overflow { overflown.insert(index) }
                // The last thirty of them read nothing.
                for client in clients[..<40] { #expect(try client.takeChunk() == text) }
            }
            #expect(hub.closed.current.count == 10)
            #expect(overflown == Set(40..<70))
            #expect(running.server.counters.bytesOut > 40 * 400 * 10_000)
        }
        #expect(hub.closed.current.count == 80)
    }

    @Test func gathersTheWritesOfATurn() async throws {
        let hub = Hub()
        try await TestServer.run(handler: hub.open) { running in
            let client = try subscribe(running, hub)
            let (queued, sent) = await running.loop.run {
                let before = running.server.counters.bytesOut
                let stream = hub.streams.current[0]
                for number in 0..<200 { _ = stream.write(.text("\(number % 10)")) }
                return (stream.bytesQueued, running.server.counters.bytesOut - before)
            }
            #expect(queued == 200 * 6)
            #expect(sent == 0)
            for number in 0..<200 { #expect(try client.takeChunk() == "\(number % 10)") }
        }
    }

    @Test func endsWithTheLastChunk() async throws {
        let hub = Hub()
        try await TestServer.run(handler: hub.open) { running in
            let client = try subscribe(running, hub)
            await running.loop.run {
                let stream = hub.streams.current[0]
                #expect(stream.write(.text("bye")) == .accepted)
                stream.close()
                #expect(stream.isClosed)
                #expect(stream.write(.text("late")) == .closed)
            }
            #expect(try client.takeToEnd() == "3\r\nbye\r\n0\r\n\r\n")
            await waitUntil("onClose is called") { hub.closed.current == [.closedByServer] }
        }
    }

    @Test func streamsToHTTP10WithoutChunks() async throws {
        let hub = Hub()
        try await TestServer.run(handler: hub.open) { running in
            let client = try running.client()
            try client.send("GET /stream HTTP/1.0\r\n\r\n")
            #expect(try client.takeHead().header("Transfer-Encoding") == nil)
            await running.loop.run {
                _ = hub.streams.current[0].write(.text("one"))
                _ = hub.streams.current[0].write(.text("two"))
                hub.streams.current[0].close()
            }
            #expect(try client.takeToEnd() == "onetwo")
        }
    }

    @Test func answersHeadWithoutAStream() async throws {
        let hub = Hub()
        try await TestServer.run(handler: hub.open) { running in
            let client = try running.client()
            try client.send("HEAD /stream HTTP/1.1\r\nHost: x\r\n\r\n")
            #expect(try client.takeHead().header("Content-Type") == "text/event-stream")
            #expect(try client.takeToEnd() == "")
            await waitUntil("onClose is called") { hub.closed.current == [.closedByServer] }
        }
    }

    @Test(arguments: [true, false])
    func noticesAtOnceThatAClientLeft(isReset: Bool) async throws {
        let hub = Hub()
        try await TestServer.run(handler: hub.open) { running in
            let leaving = try subscribe(running, hub)
            let staying = try subscribe(running, hub)
            if isReset { leaving.reset() } else { leaving.close() }
            await waitUntil("onClose is called") { hub.closed.current == [.clientLeft] }
            #expect(running.server.counters.openStreams == 1)
            #expect(await hub.write(.text("x"), on: running.loop) == [.closed, .accepted])
            #expect(try staying.takeChunk() == "x")
        }
    }

    @Test func saysWhenTheQueueOfASlowClientIsFull() async throws {
        let hub = Hub(queueBytesMax: 100_000)
        try await TestServer.run(handler: hub.open) { running in
            let slow = try TestClient(port: running.port, receiveBufferBytes: 4096)
            try slow.send("GET /stream HTTP/1.1\r\nHost: x\r\n\r\n")
            _ = try slow.takeHead()
            let chunk = StreamChunk.text(String(repeating: "x", count: 30_000))
            let queued = await running.loop.run { () -> Int in
                let stream = hub.streams.current[0]
                for _ in 0..<1000 {
                    guard stream.write(chunk) == .overflow else { continue }
                    defer { stream.abort() }
                    return stream.bytesQueued
                }
                return -1
            }
            #expect((1...100_000).contains(queued))
            await waitUntil("the stream is gone") { hub.closed.current == [.closedByServer] }
            #expect(running.server.counters.openConnections == 0)
        }
    }

    /// Small pieces take up more of the queue than their bytes; who looks at how much is taken can tell.
    @Test func aWriterThatStopsAtHalfOfTheQueueNeverOverflowsIt() async throws {
        let hub = Hub(queueBytesMax: 1_000_000)
        try await TestServer.run(handler: hub.open) { running in
            let slow = try TestClient(port: running.port, receiveBufferBytes: 4096)
            try slow.send("GET /stream HTTP/1.1\r\nHost: x\r\n\r\n")
            _ = try slow.takeHead()
            // Until the socket takes no more.
            while await running.loop.run({ hub.streams.current[0].bytesQueued }) == 0 {
                _ = await hub.write(.text(String(repeating: "x", count: 100_000)), on: running.loop)
            }
            let results = await running.loop.run { () -> [HTTPStream.WriteResult] in
                let stream = hub.streams.current[0]
                let piece = StreamChunk.text("x")
                var results: [HTTPStream.WriteResult] = []
                while stream.queueBytesTaken < 500_000, results.last != .overflow { results.append(stream.write(piece)) }
                return results
            }
            #expect(results.count > 1_000 && !results.contains(.overflow))
        }
    }

    @Test func closesAStreamThatItsClientReadsNothingOf() async throws {
        var settings = HTTPServerSettings()
        settings.writeStallTimeout = .milliseconds(200)
        let hub = Hub(queueBytesMax: 10_000_000)
        try await TestServer.run(settings, handler: hub.open) { running in
            let slow = try TestClient(port: running.port, receiveBufferBytes: 4096)
            try slow.send("GET /stream HTTP/1.1\r\nHost: x\r\n\r\n")
            _ = try slow.takeHead()
            _ = await hub.write(.text(String(repeating: "x", count: 9_000_000)), on: running.loop)
            await waitUntil("the stream is closed") { hub.closed.current == [.clientStalled] }
        }
    }

    @Test func waitsForEarlierAnswersOfItsConnection() async throws {
        let hub = Hub()
        let waiting = Shared<[HTTPExchange]>([])
        let handler: @Sendable (HTTPExchange) -> Void = { exchange in
            if exchange.request.path == "/stream" { hub.open(exchange) } else { waiting.update { $0.append(exchange) } }
        }
        try await TestServer.run(handler: handler) { running in
            let client = try running.client()
            try client.send("GET /slow HTTP/1.1\r\nHost: x\r\n\r\nGET /stream HTTP/1.1\r\nHost: x\r\n\r\n")
            await waitUntil("both are dispatched") { waiting.current.count == 1 && hub.streams.current.count == 1 }
            #expect(await hub.write(.text("early"), on: running.loop) == [.accepted])
            #expect(await running.loop.run { hub.streams.current[0].bytesQueued } == 10)
            for exchange in waiting.current { echo(exchange) }
            waiting.update { $0 = [] }
            #expect(try client.takeResponse().body == "GET /slow ")
            #expect(try client.takeHead().status == 200)
            #expect(try client.takeChunk() == "early")
        }
    }

    @Test func closesAClientThatTalksIntoItsStream() async throws {
        let hub = Hub()
        try await TestServer.run(handler: hub.open) { running in
            let client = try subscribe(running, hub)
            try client.send([UInt8](repeating: 0x20, count: 60_000))
            #expect(await hub.write(.text("still here"), on: running.loop) == [.accepted])
            #expect(try client.takeChunk() == "still here")
            try? client.send([UInt8](repeating: 0x20, count: 60_000))
            await waitUntil("the stream is closed") { hub.closed.current == [.unexpectedInput] }
        }
    }
}
