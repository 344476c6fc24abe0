import Martlet
import Pipelines
import TestSupport
import Testing

/// The client against a server that says what a test wants.
@Suite struct HTTPClientTests {
    private func withClient(_ settings: HTTPClientSettings = HTTPClientSettings(), _ body: (HTTPClient) async throws -> Void) async throws {
        let client = HTTPClient(settings: settings)
        try client.start()
        do {
            try await body(client)
        } catch {
            await client.close()
            throw error
        }
        await client.close()
    }

    @Test func aRequestAndItsAnswer() async throws {
        let server = ScriptedServer { .status(201, headers: "X-One: 1\r\nx-one: 2\r\n", body: $0.text) }
        defer { server.close() }
        try await withClient { client in
            let response = try await client.send(
                ClientRequest("PUT", server.url + "/a?b=c", headers: [("X-Two", "zwei"), ("X-Empty", "")], body: "hello"))
            #expect(response.status == 201)
            #expect(response.header("x-one") == "1")
            let text = response.body.string
            #expect(text.hasPrefix("PUT /a?b=c HTTP/1.1\r\n"))
            #expect(text.contains("X-Two: zwei\r\n") && text.contains("X-Empty:\r\n"))
            #expect(text.contains("Content-Length: 5\r\n") && text.hasSuffix("\r\n\r\nhello"))
            #expect(!text.contains("Expect:"))
            #expect(try await client.send(ClientRequest("GET", server.url + "/")).body.string.hasPrefix("GET / HTTP/1.1\r\n"))
            let empty = try await client.send(ClientRequest("POST", server.url + "/"))
            #expect(empty.body.string.contains("Content-Length: 0\r\n"))
            let deletion = try await client.send(ClientRequest("DELETE", server.url + "/"))
            #expect(deletion.body.string.hasPrefix("DELETE / "))
            #expect(server.connections == 1)
        }
    }

    @Test func anErrorStatusIsAnAnswer() async throws {
        let server = ScriptedServer { _ in .status(503, headers: "Retry-After: 3\r\n", body: "no") }
        defer { server.close() }
        try await withClient { client in
            let response = try await client.send(ClientRequest("GET", server.url))
            #expect(response.status == 503 && !response.isSuccess)
            #expect(response.header("retry-after") == "3")
            #expect(response.body.string == "no")
        }
    }

    @Test func manyAtOnceShareFewConnections() async throws {
        let server = ScriptedServer { .status(200, body: "\($0.method) \($0.path)") }
        defer { server.close() }
        var settings = HTTPClientSettings()
        settings.maxConnections = 4
        try await withClient(settings) { client in
            try await withThrowingTaskGroup(of: Void.self) { tasks in
                for number in 0..<200 {
                    tasks.addTask {
                        let response = try await client.send(ClientRequest("GET", server.url + "/\(number)"))
                        #expect(response.body.string == "GET /\(number)")
                    }
                }
                try await tasks.waitForAll()
            }
            #expect(server.connections <= 4)
        }
    }

    @Test func refusedAndUnknownHostsAreTransient() async throws {
        let server = ScriptedServer()
        server.close()
        try await withClient { client in
            for url in [server.url, "http://no-such-host.invalid/"] {
                let error = await #expect(throws: ModuleError.self) { _ = try await client.send(ClientRequest("GET", url)) }
                #expect(error?.kind == .transient && error?.code == "http.unreachable")
                #expect(error?.message.contains(url) == true)
            }
        }
    }

    @Test func aConnectionThatBreaksIsTransient() async throws {
        let silent = ScriptedServer { _ in .close }
        let half = ScriptedServer { _ in .open("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 100\r\n\r\nhalf") }
        defer {
            silent.close()
            half.close()
        }
        try await withClient { client in
            let error = await #expect(throws: ModuleError.self) { _ = try await client.send(ClientRequest("GET", silent.url)) }
            #expect(error?.kind == .transient && error?.code == "http.connection_lost")
            let other = await #expect(throws: ModuleError.self) {
                _ = try await client.send(ClientRequest("GET", half.url, timeout: .milliseconds(300)))
            }
            #expect(other?.kind == .transient)
        }
    }

    @Test func anAnswerThatDoesNotComeIsATimeout() async throws {
        let server = ScriptedServer { _ in .silence }
        defer { server.close() }
        try await withClient { client in
            let error = await #expect(throws: ModuleError.self) {
                _ = try await client.send(ClientRequest("GET", server.url, timeout: .milliseconds(100)))
            }
            #expect(error?.kind == .transient && error?.code == "http.timeout")
        }
    }

    @Test func anAnswerThatIsTooLongIsRefused() async throws {
        let server = ScriptedServer { _ in .status(200, body: String(repeating: "x", count: 1_001)) }
        defer { server.close() }
        try await withClient { client in
            let error = await #expect(throws: ModuleError.self) {
                _ = try await client.send(ClientRequest("GET", server.url, bodyLimit: 1_000))
            }
            #expect(error?.kind == .permanent && error?.code == "http.answer_too_large")
            let exact = try await client.send(ClientRequest("GET", server.url, bodyLimit: 1_001))
            #expect(exact.body.count == 1_001)
        }
    }

    @Test(arguments: ["ftp://127.0.0.1/", "http://", "nonsense"]) func aBadURLIsTheOperators(_ url: String) async throws {
        try await withClient { client in
            let error = await #expect(throws: ModuleError.self) { _ = try await client.send(ClientRequest("GET", url)) }
            #expect(error.map { [.blocked, .transient].contains($0.kind) && $0.message.contains(url) } == true)
        }
    }

    @Test func aCancelledRequestEndsAtOnce() async throws {
        let server = ScriptedServer { _ in .silence }
        defer { server.close() }
        try await withClient { client in
            let task = Task { try await client.send(ClientRequest("GET", server.url, timeout: .seconds(600))) }
            while server.connections == 0 { await Task.yield() }
            task.cancel()
            await #expect(throws: CancellationError.self) { try await task.value }
            let early = Task {
                try? await Task.sleep(for: .seconds(600))
                return try await client.send(ClientRequest("GET", server.url, timeout: .seconds(600)))
            }
            early.cancel()
            await #expect(throws: CancellationError.self) { try await early.value }
        }
    }

    @Test func closingEndsWhatIsUnderWay() async throws {
        let server = ScriptedServer { _ in .silence }
        defer { server.close() }
        let client = HTTPClient()
        try client.start()
        let task = Task { try await client.send(ClientRequest("GET", server.url, timeout: .seconds(600))) }
        while server.connections == 0 { await Task.yield() }
        await client.close()
        let error = await #expect(throws: ModuleError.self) { try await task.value }
        #expect(error?.code == "http.client_closed")
        let late = await #expect(throws: ModuleError.self) { try await client.send(ClientRequest("GET", server.url)) }
        #expect(late?.code == "http.client_closed")
        await client.close()
    }

    @Test func tooManyRequestsAreRefused() async throws {
        let server = ScriptedServer { _ in .silence }
        defer { server.close() }
        var settings = HTTPClientSettings()
        settings.maxRequests = 2
        try await withClient(settings) { client in
            let tasks = (0..<2).map { _ in Task { try await client.send(ClientRequest("GET", server.url, timeout: .seconds(600))) } }
            while server.connections < 2 { await Task.yield() }
            let error = await #expect(throws: ModuleError.self) { try await client.send(ClientRequest("GET", server.url)) }
            #expect(error?.code == "http.client_overloaded")
            for task in tasks { task.cancel() }
            for task in tasks { _ = await task.result }
        }
    }
}
