import Foundation
import Martlet
import TestSupport
import Testing

/// Endpoints that misbehave, on real sockets: each attempt ends and says why, and others get their deliveries.
@Suite struct WebhookFaultTests {
    private static let oneTry = #", "retry": {"delays_seconds": [3600]}, "timeout_ms": 400, "breaker": {"failures": 1000}"#

    /// What the first attempt at an endpoint came to.
    private func attempt(at url: String, _ fields: String = "") async throws -> (status: Int?, error: String, answer: String?) {
        let other = ScriptedServer()
        defer { other.close() }
        let fixture = try await WebhookFixture(
            endpoints: WebhookFixture.endpoint("bad", url) + "," + WebhookFixture.endpoint("good", other.url), Self.oneTry + fields)
        try await fixture.publish(key: "a", "1")
        await waitUntil { (try? await fixture.attempts("bad").count) == 1 && other.requests.count == 1 }
        let attempt = try #require(try await fixture.attempts("bad").first)
        await fixture.close()
        return (attempt["status"] as? Int, attempt["error"] as? String ?? "", attempt["answer"] as? String)
    }

    @Test(arguments: [
        (ScriptedServer.Reply.silence, "http.timeout"), (.trickle, "http.timeout"), (.close, "http.connection_lost"),
        (.raw("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf"), "http.connection_lost"),
        (.raw("HTTP/1.1 200 OK\r\nContent-"), "http.connection_lost"), (.raw("SSH-2.0-OpenSSH_9.2\r\n"), "http.connection_lost"),
        (.raw("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"), "http.connection_lost"),
        (.raw("HTTP/1.1 200 OK\r\nX: \(String(repeating: "y", count: 90_000))\r\n\r\n"), "http.answer_too_large"),
    ]) func isNoAnswer(_ reply: ScriptedServer.Reply, _ code: String) async throws {
        let receiver = ScriptedServer { _ in reply }
        defer { receiver.close() }
        let attempt = try await attempt(at: receiver.url)
        #expect(attempt.error.contains(code), "\(attempt)")
        #expect(!attempt.error.contains(receiver.url))
    }

    @Test func aRedirectIsAnErrorAndNotFollowed() async throws {
        let receiver = ScriptedServer { _ in .status(302, headers: "Location: http://169.254.169.254/latest/meta-data\r\n") }
        defer { receiver.close() }
        let attempt = try await attempt(at: receiver.url)
        #expect(attempt.status == 302 && attempt.error.contains("redirect"))
        #expect(receiver.requests.count == 1)
    }

    @Test func anEndlessAnswerIsCut() async throws {
        let receiver = ScriptedServer { _ in .endless }
        let other = ScriptedServer()
        defer {
            receiver.close()
            other.close()
        }
        let fixture = try await WebhookFixture(
            endpoints: WebhookFixture.endpoint("bad", receiver.url), Self.oneTry + #", "max_answer_bytes": 100"#)
        try await fixture.publish(key: "a", "1")
        await waitUntil { (try? await fixture.deliveries("bad", state: "delivered").count) == 1 }
        let attempt = try #require(try await fixture.attempts("bad").first)
        #expect(attempt["status"] as? Int == 200 && (attempt["answer"] as? String)?.count == 100)
        // What sockets hold, not what was announced.
        #expect(receiver.sent < 64 << 20)
        await fixture.close()
    }

    @Test(arguments: ["http://no-such-host.invalid/", "http://127.0.0.1:1/"]) func cannotBeReached(_ url: String) async throws {
        #expect(try await attempt(at: url).error.contains("http.unreachable"))
    }

    @Test(arguments: ["http://169.254.169.254/latest/meta-data", "http://[::1]:1/", "http://10.0.0.1/", "http://0.0.0.0:1/"])
    func aPrivateAddressIsRefused(_ url: String) async throws {
        #expect(try await attempt(at: url).error.contains("http.address_refused"))
    }

    @Test func anExpiredCertificateIsRefused() async throws {
        let server = try await TLSServer(isExpired: true)
        defer { server.close() }
        let attempt = try await attempt(at: "https://localhost:\(server.port)/", #", "ca_file": "\#(server.authority)""#)
        #expect(attempt.error.contains("http.certificate") && attempt.error.contains("expired"), "\(attempt)")
        #expect(server.requests.isEmpty)
    }

    @Test func aCertificateOfAnUnknownAuthorityIsRefused() async throws {
        let server = try await TLSServer(isExpired: false)
        defer { server.close() }
        let attempt = try await attempt(at: "https://localhost:\(server.port)/")
        #expect(attempt.error.contains("http.certificate"), "\(attempt)")
        #expect(server.requests.isEmpty)
    }

    /// - Parameter readsRequests: whether the server has read a request before it answers. If not, some answers are lost: the
    ///   end of the stream may come before curl 7.88 has told of the answer.
    @Test(arguments: [true, false]) func overTLSHTTP2IsSpokenAndConnectionsAreShared(readsRequests: Bool) async throws {
        let server = try await TLSServer(isExpired: false, readsRequests: readsRequests)
        defer { server.close() }
        let fixture = try await WebhookFixture(
            endpoints: WebhookFixture.endpoint("one", "https://localhost:\(server.port)/hooks"), #", "ca_file": "\#(server.authority)""#)
        try await fixture.publish((0..<200).map { (key: "k\($0 % 20)", payload: "\($0)") })
        await waitUntil { (try? await fixture.deliveries("one", state: "delivered").count) == 200 }
        let errors = try await fixture.attempts("one").compactMap { $0["error"] as? String }
        #expect(errors.count <= (readsRequests ? 0 : 20), "\(errors)")
        await fixture.close()
        await waitUntil { server.requests.count == 200 + errors.count }
        #expect(server.requests.allSatisfy { $0.version == "HTTP/2.0" }, "\(server.requests.map(\.version))")
        #expect(Set(server.requests.map(\.webhookID)).count == 200)
        #expect(Set(server.requests.map(\.connection)).count == 1 || !readsRequests)
    }

    /// A name is no promise: what it leads to is looked at when the connection is made, each time.
    @Test func aNameThatLeadsInsideLaterIsRefused() async throws {
        let inside = ScriptedServer(on: "0.0.0.0") { _ in .status(200, headers: "Connection: close\r\n") }
        defer { inside.close() }
        let name = "turns-inside.test"
        ScriptedNames.resolve(name, to: [["127.0.0.1"], ["127.0.0.2"]])
        let endpoint = WebhookFixture.endpoint("one", "http://\(name):\(inside.port)/")
        let first = try await WebhookFixture(endpoints: endpoint, Self.oneTry, allowed: "127.0.0.1")
        try await first.publish(key: "a", "1")
        await waitUntil { (try? await first.deliveries("one", state: "delivered").count) == 1 }
        await first.close()
        // Another client, which asks for the name again.
        let second = try await WebhookFixture(endpoints: endpoint, Self.oneTry, database: first.database, allowed: "127.0.0.1")
        try await second.publishWithoutOffset(after: 1, [(key: "a", payload: "2")])
        await waitUntil { (try? await second.deliveries("one", state: "retrying").count) == 1 }
        let error = try await second.attempts("one").compactMap { $0["error"] as? String }.joined()
        #expect(error.contains("http.address_refused") && error.contains("127.0.0.2"), "\(error)")
        await second.close()
        #expect(inside.requests.map(\.body) == ["1"] && inside.connections == 1)
    }

    /// Of several addresses each is looked at before it is tried.
    @Test func aNameThatAlsoLeadsInsideIsRefusedThere() async throws {
        let inside = ScriptedServer(on: "127.0.0.2")
        defer { inside.close() }
        // Nobody listens at the first one, which is allowed.
        let name = "half-inside.test"
        ScriptedNames.resolve(name, to: [["127.0.0.1", "127.0.0.2"]])
        let fixture = try await WebhookFixture(
            endpoints: WebhookFixture.endpoint("one", "http://\(name):\(inside.port)/"), Self.oneTry, allowed: "127.0.0.1")
        try await fixture.publish(key: "a", "1")
        await waitUntil { (try? await fixture.attempts("one").count) == 1 }
        let error = try await fixture.attempts("one").compactMap { $0["error"] as? String }.joined()
        #expect(error.contains("http.address_refused") && error.contains("127.0.0.2"), "\(error)")
        await fixture.close()
        #expect(inside.connections == 0)
    }
}
