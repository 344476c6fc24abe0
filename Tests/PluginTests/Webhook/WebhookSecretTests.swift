import Foundation
import Martlet
import TestSupport
import Testing

@testable import WebhookPlugin

/// Secrets of endpoints in the database, with a `secrets_key` and without.
@Suite struct WebhookSecretTests {
    /// The bytes 0 to 31.
    private static let key = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
    private static let other = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="

    private static func field(_ key: String) -> String { #", "secrets_key": "\#(key)""# }

    private static func previous(_ key: String) -> String { #", "previous_secrets_keys": ["\#(key)"]"# }

    private func create(_ fixture: WebhookFixture, _ name: String, _ url: String, secret: String? = nil) async throws -> String {
        let field = secret.map { #", "secret": "\#($0)""# } ?? ""
        let answer = try await fixture.ask("POST", "/endpoints", #"{"name": "\#(name)", "url": "\#(url)"\#(field)}"#)
        #expect(answer.status == 201, "\(answer.text)")
        return try #require(answer.json["secret"] as? String)
    }

    /// What lies in the database, of all endpoints.
    private func stored(_ fixture: WebhookFixture) async throws -> [String] {
        let statement = try fixture.database.prepare("SELECT secrets FROM martlet_webhook_endpoints ORDER BY endpoint")
        return try await fixture.database.query(statement, [], limit: 100).rows.map { row in
            if case .text(let text)? = row.first { text } else { "" }
        }
    }

    private func isSigned(_ request: ScriptedServer.Request?, by secret: String) throws -> Bool {
        let request = try #require(request)
        let timestamp = try #require(Int64(request.headers["webhook-timestamp"] ?? ""))
        let ring = KeyRing([KeyRing.Entry(key: try SigningKey(secret), until: nil)])
        let expected = ring.signatures(id: request.webhookID, timestamp: timestamp, body: Bytes(request.body), now: timestamp * 1000)
        return request.headers["webhook-signature"]?.split(separator: " ").contains(Substring(expected)) == true
    }

    /// What PyPI's `cryptography` made of the same key, nonce and place.
    @Test func whatAnotherLibraryEncrypted() throws {
        let key = try #require(SecretsKey(Self.key))
        let sealed = "sealed1:QEFCQ0RFRkdISUpLldHdRkVjymWGlS5EoyNYAgi0BivdYF9nTw4Ctc1agunUab/Njc6zEpLXchY7zctyxJMlTiQE"
        #expect(key.open(sealed, at: "hooks\none") == WebhookFixture.secret)
        #expect(key.open(sealed, at: "hooks\ntwo") == nil)
        #expect(try #require(SecretsKey(Self.other)).open(sealed, at: "hooks\none") == nil)
        // A bit of nonce, ciphertext or tag that is another.
        let bytes = try #require(Base64.decode(String(sealed.dropFirst(SecretsKey.prefix.count)))).withUnsafeBytes { Array($0) }
        for index in bytes.indices {
            var changed = bytes
            changed[index] ^= 1
            #expect(key.open(SecretsKey.prefix + Base64.encode(Bytes(changed)), at: "hooks\none") == nil, "byte \(index)")
        }
        for text in ["", "sealed1:", "sealed1:QUJD", "sealed1:###", WebhookFixture.secret] { #expect(key.open(text, at: "") == nil) }
    }

    @Test(arguments: Backend.allCases) func theyAreEncryptedAndSign(_ backend: Backend) async throws {
        let receiver = ScriptedServer()
        defer { receiver.close() }
        let first = try await WebhookFixture(backend, endpoints: "", Self.field(Self.key))
        let secret = try await create(first, "one", receiver.url)
        _ = try await create(first, "two", "http://127.0.0.1:1/", secret: secret)
        let texts = try await stored(first)
        #expect(texts.count == 2 && texts.allSatisfy { $0.contains("sealed1:") && !$0.contains("whsec_") }, "\(texts)")
        #expect(Set(texts).count == 2)
        let rotated = try await first.ask("POST", "/endpoints/{endpoint}/secret", endpoint: "one")
        let new = try #require(rotated.json["secret"] as? String)
        await first.close()
        let second = try await WebhookFixture(endpoints: "", Self.field(Self.key), database: first.database)
        try await second.publish(key: "a", "1")
        await waitUntil { receiver.requestCount == 1 }
        #expect(try isSigned(receiver.requests.first, by: secret) && isSigned(receiver.requests.first, by: new))
        await second.close()
    }

    @Test func thoseFromBeforeAreEncryptedWhenTheyAreWrittenAgain() async throws {
        let receiver = ScriptedServer()
        defer { receiver.close() }
        let first = try await WebhookFixture(endpoints: "")
        let secret = try await create(first, "one", receiver.url)
        #expect(try await stored(first).first?.contains(secret) == true)
        await first.close()
        let second = try await WebhookFixture(endpoints: "", Self.field(Self.key), database: first.database)
        try await second.publish(key: "a", "1")
        await waitUntil { receiver.requestCount == 1 }
        #expect(try isSigned(receiver.requests.first, by: secret))
        #expect(try await stored(second).first?.contains(secret) == true)
        _ = try await second.ask("PATCH", "/endpoints/{endpoint}", endpoint: "one", #"{"description": "the shop"}"#)
        let text = try #require(try await stored(second).first)
        #expect(text.contains("sealed1:") && !text.contains("whsec_"))
        try await second.publish(key: "a", "2")
        await waitUntil { receiver.requestCount == 2 }
        #expect(try isSigned(receiver.requests.last, by: secret))
        await second.close()
    }

    /// Nothing is sent without its signature: the channel does not open.
    @Test(arguments: [
        ("", "set `secrets_key` of the channel `hooks`"), (field(other), "`secrets_key` of the channel `hooks` does not decrypt"),
    ]) func withoutTheirKeyTheChannelDoesNotOpen(_ fields: String, _ words: String) async throws {
        let first = try await WebhookFixture(endpoints: "", Self.field(Self.key))
        _ = try await create(first, "one", "http://127.0.0.1:1/")
        await first.close()
        let error = await #expect(throws: ModuleError.self) {
            try await WebhookFixture(endpoints: "", fields, database: first.database)
        }
        #expect(error?.code == "webhook.secrets_key" && error?.message.contains(words) == true, "\(String(describing: error))")
        #expect(error?.message.contains("`one`") == true)
    }

    @Test(arguments: [field(other) + previous(key), previous(key)]) func theKeyIsReplaced(_ fields: String) async throws {
        let receiver = ScriptedServer()
        defer { receiver.close() }
        let first = try await WebhookFixture(endpoints: "", Self.field(Self.key))
        let secret = try await create(first, "one", receiver.url)
        await first.close()
        // The old key is needed once.
        let second = try await WebhookFixture(endpoints: "", fields, database: first.database)
        await second.close()
        let last = fields.contains("\"secrets_key") ? Self.field(Self.other) : ""
        #expect(try await stored(second).first?.contains("sealed1:") == !last.isEmpty)
        let third = try await WebhookFixture(endpoints: "", last, database: first.database)
        try await third.publish(key: "a", "1")
        await waitUntil { receiver.requestCount == 1 }
        #expect(try isSigned(receiver.requests.first, by: secret))
        await third.close()
    }

    @Test func aSecretThatWasMovedToAnotherEndpointIsRefused() async throws {
        let fixture = try await WebhookFixture(endpoints: "", Self.field(Self.key))
        _ = try await create(fixture, "one", "http://127.0.0.1:1/")
        _ = try await create(fixture, "two", "http://127.0.0.1:1/")
        try await fixture.execute(
            """
            UPDATE martlet_webhook_endpoints SET secrets = (SELECT secrets FROM martlet_webhook_endpoints WHERE endpoint = 'one')
            WHERE endpoint = 'two'
            """)
        let answer = try await fixture.ask("GET", "/endpoints")
        #expect(answer.status == 500 && answer.text.contains("webhook.secrets_key") && answer.text.contains("`two`"), "\(answer.text)")
        await fixture.close()
    }

    @Test(arguments: [("QUJDREU=", "found 5 bytes"), ("hunter2", "found what is not base64"), ("", "found 0 bytes")])
    func aKeyThatIsNone(_ key: String, _ words: String) async throws {
        let error = await #expect(throws: ConfigError.self) { try await WebhookFixture(endpoints: "", Self.field(key)) }
        let text = error?.description ?? ""
        #expect(text.contains("secrets_key") && text.contains("a key for secrets must be 32 bytes in base64") && text.contains(words), "\(text)")
        #expect(!text.contains("hunter2") && !text.contains("QUJDREU"))
    }
}
