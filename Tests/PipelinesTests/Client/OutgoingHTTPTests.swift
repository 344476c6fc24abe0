import Martlet
import Pipelines
import TestSupport
import Testing

/// The clients that modules get, against a server that says what a test wants.
@Suite struct OutgoingHTTPTests {
    private func withClient(
        _ settings: OutgoingHTTPSettings, _ body: (any OutgoingHTTPClient) async throws -> Void
    ) async throws {
        let client = try HTTPClients().client(settings)
        do {
            try await body(client)
        } catch {
            await client.close()
            throw error
        }
        await client.close()
    }

    private static func loopback() throws -> OutgoingHTTPSettings {
        var settings = OutgoingHTTPSettings()
        settings.addresses = .publicOnly(besides: [try #require(AddressBlock("127.0.0.0/8"))])
        return settings
    }

    @Test(arguments: ["127.0.0.1", "localhost", "127.1", "0x7f000001", "[::1]", "[::ffff:127.0.0.1]", "0.0.0.0"])
    func theHostItselfIsRefusedHoweverItIsNamed(_ host: String) async throws {
        let server = ScriptedServer()
        defer { server.close() }
        try await withClient(OutgoingHTTPSettings()) { client in
            let error = await #expect(throws: ModuleError.self) {
                try await client.send(OutgoingRequest("GET", "http://\(host):\(server.port)/"))
            }
            #expect(error?.kind == .blocked && error?.code == "http.address_refused", "\(String(describing: error))")
        }
        #expect(server.connections == 0)
    }

    @Test func anAllowedBlockIsReached() async throws {
        let server = ScriptedServer { _ in .status(200, body: "ok") }
        defer { server.close() }
        try await withClient(Self.loopback()) { client in
            let response = try await client.send(OutgoingRequest("GET", server.url))
            #expect(response.body.string == "ok")
        }
    }

    @Test func aRedirectIsTheAnswer() async throws {
        let server = ScriptedServer { _ in .status(302, headers: "Location: http://169.254.169.254/latest/meta-data\r\n") }
        defer { server.close() }
        try await withClient(Self.loopback()) { client in
            let response = try await client.send(OutgoingRequest("GET", server.url))
            #expect(response.status == 302)
        }
        #expect(server.connections == 1)
    }

    @Test func aLongAnswerIsCutAndNotReadOn() async throws {
        let server = ScriptedServer { _ in .endless }
        defer { server.close() }
        try await withClient(Self.loopback()) { client in
            let response = try await client.send(
                OutgoingRequest("GET", server.url, bodyLimit: 1_000, longBody: .truncate))
            #expect(response.status == 200 && response.isTruncated)
            #expect(response.body.count == 1_000)
            let whole = await #expect(throws: ModuleError.self) {
                try await client.send(OutgoingRequest("GET", server.url, bodyLimit: 1_000))
            }
            #expect(whole?.code == "http.answer_too_large")
        }
    }

    @Test func endlessHeadersAreRefused() async throws {
        let server = ScriptedServer { _ in
            .open("HTTP/1.1 200 OK\r\n" + String(repeating: "X-Long: \(String(repeating: "y", count: 1_000))\r\n", count: 100) + "\r\n")
        }
        defer { server.close() }
        try await withClient(Self.loopback()) { client in
            let error = await #expect(throws: ModuleError.self) { try await client.send(OutgoingRequest("GET", server.url)) }
            #expect(error?.code == "http.answer_too_large")
        }
    }

    @Test(arguments: [("X-A", "1\r\nX-B: 2"), ("X A", "1"), ("X:A", "1"), ("", "1"), ("X-A", "\u{0}")])
    func aHeaderCannotHoldAnother(_ name: String, _ value: String) async throws {
        try await withClient(Self.loopback()) { client in
            let error = await #expect(throws: ModuleError.self) {
                try await client.send(OutgoingRequest("GET", "http://127.0.0.1:1/", headers: [(name, value)]))
            }
            #expect(error?.kind == .permanent && error?.code == "http.bad_header")
        }
    }

    @Test func garbageIsATransientError() async throws {
        let server = ScriptedServer { _ in .open("SSH-2.0-OpenSSH_9.2\r\n") }
        defer { server.close() }
        try await withClient(Self.loopback()) { client in
            let error = await #expect(throws: ModuleError.self) { try await client.send(OutgoingRequest("GET", server.url)) }
            #expect(error?.kind == .transient && error?.code == "http.connection_lost")
        }
    }
}
