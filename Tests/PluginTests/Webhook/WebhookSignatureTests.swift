import Foundation
import Martlet
import MartletTesting
import Pipelines
import TestSupport
import Testing

@testable import WebhookPlugin

/// Standard Webhooks 1.0, checked against its published vector and others' implementations.
@Suite struct WebhookSignatureTests {
    @Test func thePublishedTestVector() throws {
        let key = try SigningKey("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
        let ring = KeyRing([KeyRing.Entry(key: key, until: nil)])
        let signature = ring.signatures(
            id: "msg_p5jXN8AQM9LWM0D4loKWxJek", timestamp: 1_614_265_330, body: #"{"test": 2432232314}"#, now: 0)
        #expect(signature == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=")
    }

    /// RFC 8032, 7.1, test 2.
    @Test func theEd25519TestVector() throws {
        let seed = Bytes(Self.bytes("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb"))
        let pair = try #require(SigningKeyPair(seed: seed))
        #expect(pair.publicKey == Bytes(Self.bytes("3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c")))
        let signature = [UInt8(0x72)].withUnsafeBytes { pair.signature(of: $0) }
        #expect(
            signature
                == Bytes(
                    Self.bytes(
                        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00")))
    }

    private static func bytes(_ text: String) -> [UInt8] {
        stride(from: 0, to: text.count, by: 2).compactMap { UInt8(text.dropFirst($0).prefix(2), radix: 16) }
    }

    @Test(arguments: [
        ("hunter2", "begins with `whsec_`"), ("whsec_###", "base64"), ("whsec_QUJD", "24 to 64 bytes"), ("whsk_QUJD", "24 to 64 bytes"),
        ("whsk_" + String(repeating: "A", count: 86) + "==", "no ed25519 key"),
    ]) func noSecret(_ text: String, _ words: String) {
        #expect {
            try SigningKey(text)
        } throws: { error in
            let text = (error as? SigningKeyProblem)?.text ?? ""
            return text.contains(words) && !text.contains("hunter2")
        }
    }

    @Test func aSecretOutOfDateSignsNoMore() throws {
        let (a, b) = (try SigningKey.generate(.v1), try SigningKey.generate(.v1a))
        var ring = KeyRing([KeyRing.Entry(key: a, until: nil)])
        ring.rotate(to: b, keepingOthersUntil: 100, now: 50)
        #expect(ring.signatures(id: "x", timestamp: 1, body: "y", now: 99).split(separator: " ").count == 2)
        #expect(ring.signatures(id: "x", timestamp: 1, body: "y", now: 100).split(separator: " ").count == 1)
        let vault = SecretVault(channel: "hooks", key: nil)
        let read = try KeyRing(json: ring.json(of: "one", vault), of: "one", vault)
        #expect(read.entries.map(\.key.text) == [b.text, a.text] && read.entries.map(\.until) == [nil, 100])
    }

    /// PyPI's `standardwebhooks` verifies what arrived, `cryptography` the ed25519 signature, `cloudevents` the envelopes.
    @Test func othersVerifyLiveDeliveries() async throws {
        let receiver = ScriptedServer()
        defer { receiver.close() }
        let pair = try SigningKey.generate(.v1a)
        let endpoints = ["payload", "cloudevents_binary", "cloudevents_structured"].map { content in
            #""\#(content)": {"url": "\#(receiver.url)/\#(content)", "secrets": ["\#(WebhookFixture.secret)", "\#(pair.text)"], "content": "\#(content)"}"#
        }
        let fixture = try await WebhookFixture(endpoints: endpoints.joined(separator: ","), #", "event_type": "${/type}""#)
        try await fixture.publish(key: "zoë \"x\"", #"{"type":"like","text":"héllo"}"#)
        await waitUntil { receiver.requests.count == 3 }
        await fixture.close()
        let requests = receiver.requests.map { ["path": $0.path, "headers": $0.headers, "body": $0.body] as [String: Any] }
        let input = try JSONSerialization.data(withJSONObject: [
            "requests": requests, "secret": WebhookFixture.secret, "public": try #require(pair.publicKey),
        ])
        let script = """
            import base64, json, sys
            from standardwebhooks.webhooks import Webhook
            from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
            from cloudevents.v1.http import from_http
            given = json.load(sys.stdin)
            key = Ed25519PublicKey.from_public_bytes(base64.b64decode(given["public"].removeprefix("whpk_")))
            for request in given["requests"]:
                headers, body = request["headers"], request["body"]
                Webhook(given["secret"]).verify(body, headers)
                signature = next(s for s in headers["webhook-signature"].split(" ") if s.startswith("v1a,"))
                signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.{body}"
                key.verify(base64.b64decode(signature[4:]), signed.encode())
                if "cloudevents" in request["path"]:
                    event = from_http(headers, body)
                    assert event["id"] == headers["webhook-id"] and event["type"] == "like", event
                    assert event["source"] == "/martlet" and event["time"].startswith("2023-11-14T22:13:20"), event
                    data = event.data if isinstance(event.data, dict) else json.loads(event.data)
                    assert data == {"type": "like", "text": "h\\u00e9llo"}, event.data
            print(len(given["requests"]), "verified")
            """
        #expect(try Python.run(script, input: input) == ["3 verified"])
    }
}
