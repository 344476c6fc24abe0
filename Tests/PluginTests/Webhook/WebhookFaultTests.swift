import Foundation
import Martlet
import Testing

/// Endpoints that misbehave, on real sockets: each attempt ends and says why, and others get their deliveries.
@Suite struct WebhookFaultTests {
    private static let oneTry = #", "retry": {"delays_seconds": [3600]}, "timeout_ms": 400, "breaker": {"failures": 1000}"#

    /// What the first attempt at an endpoint came to.
    private func attempt(at url: String, _ fields: String = "") async throws -> (status: Int?, error: String, answer: String?) {
        let other = WebhookReceiver()
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
        (WebhookReceiver.Reply.silence, "http.timeout"), (.close, "http.connection_lost"),
        (.raw("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf"), "http.connection_lost"),
        (.raw("HTTP/1.1 200 OK\r\nContent-"), "http.connection_lost"), (.raw("SSH-2.0-OpenSSH_9.2\r\n"), "http.connection_lost"),
        (.raw("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"), "http.connection_lost"),
        (.raw("HTTP/1.1 200 OK\r\nX: \(String(repeating: "y", count: 90_000))\r\n\r\n"), "http.answer_too_large"),
    ]) func isNoAnswer(_ reply: WebhookReceiver.Reply, _ code: String) async throws {
        let receiver = WebhookReceiver { _ in reply }
        defer { receiver.close() }
        let attempt = try await attempt(at: receiver.url)
        #expect(attempt.error.contains(code), "\(attempt)")
        #expect(!attempt.error.contains(receiver.url))
    }

    @Test func aRedirectIsAnErrorAndNotFollowed() async throws {
        let receiver = WebhookReceiver { _ in .status(302, headers: "Location: http://169.254.169.254/latest/meta-data\r\n") }
        defer { receiver.close() }
        let attempt = try await attempt(at: receiver.url)
        #expect(attempt.status == 302 && attempt.error.contains("redirect"))
        #expect(receiver.requests.count == 1)
    }

    @Test func anEndlessAnswerIsCut() async throws {
        let receiver = WebhookReceiver { _ in .endless }
        let other = WebhookReceiver()
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
        let server = try TLSServer(isExpired: true)
        defer { server.close() }
        let attempt = try await attempt(at: "https://localhost:\(server.port)/", #", "ca_file": "\#(server.authority)""#)
        #expect(attempt.error.contains("http.certificate") && attempt.error.contains("expired"), "\(attempt)")
    }

    @Test func aValidCertificateIsAccepted() async throws {
        let server = try TLSServer(isExpired: false)
        defer { server.close() }
        let attempt = try await attempt(at: "https://localhost:\(server.port)/", #", "ca_file": "\#(server.authority)""#)
        // OpenSSL's test server is no HTTP server for a POST: what matters is that TLS was spoken.
        #expect(!attempt.error.contains("http.certificate"), "\(attempt)")
    }
}
