import Foundation
import TestSupport
import Testing

extension EndToEnd {
    /// `auth`, `require`, tickets and CORS on a host that runs.
    @Suite struct AuthorizationTests {
        private static let apiKey = "an-api-key-of-these-tests"

        private func config() throws -> TestConfig {
            var config = try TestConfig.shipped()
            config.set("auth", to: [
                "users": ["type": "jwt", "secret": TestToken.secret, "cookie": "session", "leeway_seconds": 0],
                "shops": ["type": "api_key", "keys": [
                    ["name": "shop", "key": Self.apiKey], ["name": "other", "key": Self.apiKey + "-2"],
                    ["name": "reader", "key": Self.apiKey + "-3"],
                ]],
            ])
            config.set("host", "cors", to: ["origins": ["https://app.example.com"]])
            config.set("sources", "likes", "auth", to: ["users", "shops"])
            config.set("channels", "notification-stream", "auth", to: "users")
            config.set("channels", "notification-stream", "match", "claim", to: "sub")
            config.set("queries", "notification-list", "auth", to: "users")
            config.set("queries", "notification-list", "require", to: ["sub": "${@path.user}"])
            return config
        }

        private func host(_ edit: (inout TestConfig) -> Void = { _ in }) async throws -> (HostProcess, TemporaryFolder) {
            let folder = try TemporaryFolder()
            var config = try config()
            edit(&config)
            try config.write(to: folder)
            let host = try await HostProcess.start(in: folder)
            try await host.waitUntilReady()
            return (host, folder)
        }

        private let stream = HostProcess.streamPath(of: "bob")

        @Test func whoeverHasNoCredentialsIsToldSo() async throws {
            let (host, folder) = try await host()
            for (method, path) in [("POST", "/likes"), ("GET", stream), ("POST", stream + "/ticket"), ("GET", "/users/bob/notifications")] {
                let answer = try await host.send(method, path)
                #expect(answer.status == 401, "\(method) \(path)")
                #expect(answer.headers["www-authenticate"] == "Bearer", "\(method) \(path)")
                #expect(answer.text("code") == "auth.missing", "\(method) \(path)")
            }
            let bad = try await host.send("GET", stream, headers: ["Authorization: Bearer x.y.z"])
            #expect(bad.status == 401)
            #expect(bad.headers["content-type"] == "application/problem+json")
            #expect(bad.headers["www-authenticate"]?.hasPrefix("Bearer error=\"invalid_token\", error_description=\"") == true)
            let old = try await host.send("GET", stream, headers: [TestToken.bearer("bob", seconds: -5)])
            #expect(old.text("detail") == "The credentials do not hold: the token has expired.")
            let metrics = try await host.admin("/metrics").body
            #expect(metrics.contains(#"martlet_auth_refused_total{part="channels.notification-stream",reason="refused"} 2"#))
            #expect(try await host.stop() == 0)
            withExtendedLifetime(folder) {}
        }

        @Test func aCallerReadsItsOwnAndNothingElse() async throws {
            let (host, folder) = try await host()
            let bob = StreamClient(stream, headers: [try TestToken.bearer("bob")])
            try await bob.connect(to: host.address)
            let channel = try await host.admin("/v1/channels/notification-stream?limit=5").object
            #expect(channel["connections"] as? Int == 1)
            #expect((channel["by_recipient"] as? [[String: Any]])?.first?["name"] as? String == "bob")
            #expect((channel["by_user"] as? [[String: Any]])?.first?["name"] as? String == "users/bob")
            let list = try await host.admin("/v1/channels").object["channels"] as? [[String: Any]]
            #expect(list?.first?["users"] as? Int == 1)
            #expect(try await host.admin("/v1/channels/stream").status == 404)
            let eve = try await host.send("GET", stream, headers: [TestToken.bearer("eve")])
            #expect(eve.status == 403)
            #expect(eve.text("code") == "sse.not_allowed")
            let like = Like("ann", of: "bob")
            #expect(try await host.post("/likes", like.json, headers: ["X-API-Key: \(Self.apiKey)"]).status == 201)
            #expect(try await host.post("/likes", Like("cid", of: "bob").json, headers: [TestToken.bearer("cid")]).status == 201)
            #expect(try await host.post("/likes", like.json, headers: ["X-API-Key: \(Self.apiKey)x"]).status == 401)
            #expect(try await bob.waitForMessages(2).map { $0.text("actor") } == ["ann", "cid"])
            let rows = try await host.send("GET", "/users/bob/notifications", headers: [TestToken.bearer("eve")])
            #expect(rows.status == 403)
            #expect(rows.text("code") == "auth.forbidden")
            try await eventually("both rows") {
                try await host.send("GET", "/users/bob/notifications", headers: ["Cookie: session=\(TestToken.of("bob"))"]).body
                    .components(separatedBy: "liked your post").count == 3
            }
            #expect(try await host.stop() == 0)
            withExtendedLifetime(folder) {}
        }

        @Test func aStreamEndsWithItsTokenAndResumesWithTheNext() async throws {
            let (host, folder) = try await host()
            let token = try TestToken.of("bob", seconds: 1.5)
            let bob = StreamClient(stream, headers: ["Authorization: Bearer \(token)"])
            try await bob.connect(to: host.address)
            try await bob.waitForEnd()
            #expect(try await host.send("GET", stream, headers: ["Authorization: Bearer \(token)"]).status == 401)
            #expect(try await host.post("/likes", Like("ann", of: "bob").json, headers: ["X-API-Key: \(Self.apiKey)"]).status == 201)
            bob.headers = [try TestToken.bearer("bob")]
            try await bob.connect(to: host.address)
            #expect(try await bob.waitForMessages(1).map { $0.text("actor") } == ["ann"])
            let metrics = try await host.admin("/metrics").body
            #expect(metrics.contains(#"martlet_sse_disconnects_total{channel="notification-stream",reason="expired"} 1"#))
            #expect(try await host.stop() == 0)
            withExtendedLifetime(folder) {}
        }

        @Test func aTicketOpensOneStreamOnce() async throws {
            let (host, folder) = try await host()
            let answer = try await host.send("POST", stream + "/ticket", headers: [TestToken.bearer("bob")])
            #expect(answer.status == 201)
            #expect(answer.headers["cache-control"] == "no-store")
            let ticket = try #require(answer.text("ticket"))
            let elsewhere = try await host.send("GET", HostProcess.streamPath(of: "eve") + "?ticket=\(ticket)")
            #expect(elsewhere.text("detail") == "The credentials do not hold: the ticket is for another path.")
            let bob = StreamClient(stream + "?ticket=\(ticket)")
            try await bob.connect(to: host.address)
            let again = try await host.send("GET", stream + "?ticket=\(ticket)")
            #expect(again.status == 401)
            #expect(again.text("detail") == "The credentials do not hold: the ticket was used before.")
            #expect(again.text("code") == "auth.bad_ticket")
            let forged = ticket.dropLast() + (ticket.hasSuffix("A") ? "Q" : "A")
            #expect(try await host.send("GET", stream + "?ticket=\(forged)").text("detail") == "The credentials do not hold: the ticket is none of this host's.")
            #expect(try await host.post("/likes", Like("ann", of: "bob").json, headers: ["X-API-Key: \(Self.apiKey)"]).status == 201)
            #expect(try await bob.waitForMessages(1).map { $0.text("actor") } == ["ann"])
            // A ticket is no token: it opens streams only.
            #expect(try await host.send("GET", "/users/bob/notifications?ticket=\(ticket)").status == 401)
            #expect(try await host.stop() == 0)
            withExtendedLifetime(folder) {}
        }

        @Test func hostsWithOneSecretTakeEachOthersTickets() async throws {
            let secret = "the ticket secret of these tests: 32 bytes or more"
            let (first, folder) = try await host { $0.set("host", "ticket_secret", to: secret) }
            let (second, otherFolder) = try await host { config in
                config.set("host", "ticket_secret", to: secret)
                config.set("channels", "notification-stream", "ticket_seconds", to: 1)
            }
            let (stranger, thirdFolder) = try await host()
            func answer(_ host: HostProcess) async throws -> HTTPAnswer {
                try await host.send("POST", stream + "/ticket", headers: [TestToken.bearer("bob")])
            }
            func ticket(_ host: HostProcess) async throws -> String { try #require(try await answer(host).text("ticket")) }
            let bob = StreamClient(stream + "?ticket=\(try await ticket(first))")
            try await bob.connect(to: second.address)
            #expect(try await stranger.send("GET", stream + "?ticket=\(ticket(first))").status == 401)
            let short = try await answer(second)
            let end = try #require(short.object["expires_at"] as? Double)
            try await eventually("the end of a ticket that was not used") { Date().timeIntervalSince1970 * 1_000 > end }
            let late = try await first.send("GET", stream + "?ticket=\(try #require(short.text("ticket")))")
            #expect(late.text("detail") == "The credentials do not hold: the ticket has expired.")
            for host in [first, second, stranger] { #expect(try await host.stop() == 0) }
            withExtendedLifetime((folder, otherFolder, thirdFolder)) {}
        }

        @Test func pagesOfListedOriginsAreLetIn() async throws {
            let (host, folder) = try await host()
            let origin = "Origin: https://app.example.com"
            let preflight = try await host.send(
                "OPTIONS", "/likes", headers: [origin, "Access-Control-Request-Method: POST", "Access-Control-Request-Headers: content-type,authorization"])
            #expect(preflight.status == 204)
            #expect(preflight.headers["access-control-allow-origin"] == "https://app.example.com")
            #expect(preflight.headers["access-control-allow-credentials"] == "true")
            #expect(preflight.headers["access-control-allow-methods"] == "POST")
            #expect(preflight.headers["access-control-allow-headers"] == "content-type,authorization")
            #expect(preflight.headers["access-control-max-age"] == "600")
            let foreign = try await host.send("OPTIONS", "/likes", headers: ["Origin: https://evil.example.com", "Access-Control-Request-Method: POST"])
            #expect(foreign.status == 204)
            #expect(foreign.headers["access-control-allow-origin"] == nil)
            #expect(foreign.headers["access-control-allow-methods"] == nil)
            // A refusal can be read by the page as well, and so can a stream.
            let refused = try await host.send("GET", stream, headers: [origin])
            #expect(refused.status == 401)
            #expect(refused.headers["access-control-allow-origin"] == "https://app.example.com")
            #expect(refused.headers["vary"] == "Origin")
            let opened = try await StreamClient(stream, headers: [origin, TestToken.bearer("bob")]).head(from: host.address)
            #expect(opened["access-control-allow-origin"] == "https://app.example.com")
            #expect(opened["content-type"] == "text/event-stream")
            // A cookie comes along from any page, so a page that is not listed cannot post with it.
            let cookie = "Cookie: session=\(try TestToken.of("bob"))"
            let like = Like("bob", of: "ann").json
            for (header, status) in [("Origin: https://evil.example.com", 403), (origin, 201), ("Origin: http://127.0.0.1", 403)] {
                #expect(try await host.post("/likes", like, headers: [cookie, header]).status == status, "\(header)")
            }
            #expect(try await host.post("/likes", Like("bob", 2, of: "cid").json, headers: [cookie]).status == 201)
            #expect(try await host.stop() == 0)
            withExtendedLifetime(folder) {}
        }

        @Test func callersDoNotShareIdempotencyKeys() async throws {
            let (host, folder) = try await host { config in
                config.set("sources", "likes", "save", "sql", to: "INSERT INTO likes(post_id, actor) VALUES (:post_id, :actor)")
            }
            func post(_ key: String, _ actor: String) async throws -> HTTPAnswer {
                try await host.post("/likes", Like(actor, of: "bob").json, headers: ["X-API-Key: \(key)", "Idempotency-Key: k1"])
            }
            let first = try await post(Self.apiKey, "ann")
            #expect(first.status == 201)
            #expect(try await post(Self.apiKey, "ann").text("id") == first.text("id"))
            #expect(try await post(Self.apiKey, "cid").status == 422)
            let other = try await post(Self.apiKey + "-2", "cid")
            #expect(other.status == 201)
            #expect(other.text("id") != first.text("id"))
            #expect(try await host.stop() == 0)
            withExtendedLifetime(folder) {}
        }

        @Test func aKeyFileIsReadAgainAtSIGHUP() async throws {
            let folder = try TemporaryFolder()
            var config = try config()
            config.set("auth", "users", to: ["type": "jwt", "jwks": "jwks.json", "leeway_seconds": 0])
            try config.write(to: folder)
            let host = try await HostProcess.start(in: folder)
            // The file is not there yet: that is no reason not to start, and callers are told to come back.
            try await eventually("a reason why it is not ready") {
                try await host.admin("/readyz").body.contains("the key file") ? true : nil
            }
            #expect(try await host.send("GET", stream, headers: [TestToken.bearer("bob")]).status == 503)
            func write(_ secret: String) throws {
                let key = Data(secret.utf8).base64EncodedString().replacingOccurrences(of: "=", with: "")
                    .replacingOccurrences(of: "+", with: "-").replacingOccurrences(of: "/", with: "_")
                try folder.write(#"{"keys":[{"kty":"oct","kid":"1","k":"\#(key)"}]}"#, to: "jwks.json")
            }
            try write("another secret of at least 32 bytes, not the one")
            try await host.waitUntilReady()
            #expect(try await host.send("GET", stream, headers: [TestToken.bearer("bob")]).status == 401)
            try write(TestToken.secret)
            host.signal(SIGHUP)
            let bob = StreamClient(stream, headers: [try TestToken.bearer("bob")])
            try await eventually("the new key") { (try? await bob.connect(to: host.address)) != nil }
            #expect(try await host.stop() == 0)
        }
    }
}
