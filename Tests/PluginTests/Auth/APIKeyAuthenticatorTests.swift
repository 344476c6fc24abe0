import AuthPlugin
import Martlet
import MartletTesting
import Testing

@Suite struct APIKeyAuthenticatorTests {
    private let keys = #"""
        { "keys": [
          { "name": "shop", "key": "0123456789abcdef-shop", "claims": { "role": "publisher" } },
          { "name": "crm", "sha256": "2E6D1A4B8E1A5C3E8B60FCBBEEEC0BD7CC8A9A4AF4ACDF3EE9E87AEEA0AC5C8D" },
          { "name": "lab", "sha256": "79bb01f5e4c7e0f7b57a4a3dcdf0e8d35c5a3ecfb5e4f0b0d8dcf5a0ec4e0b2f" }
        ] }
        """#

    @Test func aKeyIsTakenFromEitherHeader() throws {
        let verifier = try TestHost().make(APIKeyAuthenticator.self, keys)
        for header in [("X-API-Key", "0123456789abcdef-shop"), ("Authorization", "Bearer 0123456789abcdef-shop")] {
            let caller = try verifier.authenticate(FakeExchange(headers: [header]))
            #expect(caller.id == "shop")
            #expect(caller.claim("sub") == "shop")
            #expect(caller.holds("role", "publisher"))
            #expect(caller.expiresAt == nil)
        }
    }

    /// `printf %s martlet-api-key-of-the-test | sha256sum`
    @Test func aKeyMayBeGivenByItsDigest() throws {
        let digest = "5768df2bf132a89b3d078a262e94c84a5356ab46a31f84e08eebbd28ef423a9f"
        let verifier = try TestHost().make(APIKeyAuthenticator.self, #"{ "keys": [ { "name": "x", "sha256": "\#(digest)" } ], "header": "Key" }"#)
        #expect(try verifier.authenticate(FakeExchange(headers: [("key", "martlet-api-key-of-the-test")])).id == "x")
    }

    @Test(arguments: ["", "0123456789abcdef-sho", "0123456789abcdef-shop ", "shop", String(repeating: "x", count: 2_000)])
    func anotherKeyIsRefused(_ key: String) throws {
        let verifier = try TestHost().make(APIKeyAuthenticator.self, keys)
        let failure = #expect(throws: AuthenticationFailure.self) { try verifier.authenticate(FakeExchange(headers: [("X-API-Key", key)])) }
        guard case .refused("auth.unknown_key", _)? = failure else { Issue.record("\(failure as Any)"); return }
    }

    @Test func aRequestWithoutAKeySaysNothing() throws {
        let verifier = try TestHost().make(APIKeyAuthenticator.self, keys)
        let failure = #expect(throws: AuthenticationFailure.self) {
            try verifier.authenticate(FakeExchange(headers: [("Authorization", "Basic c2hvcDp4")]))
        }
        guard case .missing? = failure else { Issue.record("\(failure as Any)"); return }
    }

    @Test(arguments: [
        (#"{ "keys": [] }"#, "must have 1 to 1000 keys, found 0"),
        (#"{ "keys": [ { "name": "a" } ] }"#, "a key needs exactly one of `key` and `sha256`"),
        (#"{ "keys": [ { "name": "a", "key": "short" } ] }"#, "must have at least 16 bytes, found 5 bytes"),
        (#"{ "keys": [ { "name": "a", "sha256": "12" } ] }"#, "must have 64 hexadecimal digits"),
        (#"{ "keys": [ { "name": "a", "key": "0123456789abcdef" }, { "name": "a", "key": "0123456789abcdeg" } ] }"#, "two keys of one name"),
    ])
    func badConfigsAreReported(json: String, problem: String) {
        let error = #expect(throws: ConfigError.self) { try TestHost().make(APIKeyAuthenticator.self, json) }
        #expect(error?.description.contains(problem) == true, "\(error?.description ?? "")")
    }
}
