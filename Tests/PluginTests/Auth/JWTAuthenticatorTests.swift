import AuthPlugin
import Foundation
import Martlet
import MartletTesting
import TestSupport
import Testing

/// Tokens of PyJWT, and forged ones.
@Suite struct JWTAuthenticatorTests {
    private let minted: MintedTokens

    init() throws {
        minted = try MintedTokens.shared.get()
    }

    private func verifier(_ fields: String) async throws -> JWTAuthenticator {
        let verifier = try TestHost().make(JWTAuthenticator.self, "{ \(fields) }")
        try await verifier.open()
        return verifier
    }

    private func withSecret(_ fields: String = #""issuer": "https://id", "audience": "events""#) async throws -> JWTAuthenticator {
        try await verifier(#""secret": "\#(minted.secret)", \#(fields)"#)
    }

    private func request(_ token: String) throws -> FakeExchange {
        FakeExchange(headers: [("Authorization", "Bearer \(try #require(minted.tokens[token]))")])
    }

    /// Why a token is refused; nil if it is taken.
    private func refusal(_ token: String, by verifier: JWTAuthenticator) throws -> String? {
        let exchange = try request(token)
        do throws(AuthenticationFailure) {
            #expect(try verifier.authenticate(exchange).id == "bob")
            return nil
        } catch {
            guard case .refused("auth.invalid_token", let reason) = error else { return "\(error)" }
            return reason
        }
    }

    @Test(arguments: ["hs256", "within leeway", "soon", "audiences"])
    func aGoodTokenIsTaken(_ token: String) async throws {
        let patient = try await withSecret(#""issuer": "https://id", "audience": "events", "leeway_seconds": 600"#)
        #expect(try refusal(token, by: patient) == nil)
    }

    @Test(arguments: [
        ("other secret", "the signature does not hold"), ("none", "the algorithm of the token is not accepted"),
        ("NONE", "the algorithm of the token is not accepted"), ("no algorithm", "the token names no algorithm"),
        ("hs512", "the algorithm of the token is not accepted"), ("RS256", "no key of this host fits the token"),
        ("ES256", "no key of this host fits the token"), ("expired", "the token has expired"),
        ("early", "the token is not valid yet"), ("endless", "the token has no end (exp)"), ("odd end", "the token's exp is no time"),
        ("other issuer", "the token is of another issuer"), ("no issuer", "the token is of another issuer"),
        ("other audience", "the token is for another audience"), ("no audience", "the token is for another audience"),
        ("nobody", "the token names nobody: it has no sub"), ("critical", "the token needs an extension that is not understood"),
        ("twice", "the token's parts are no JSON objects in base64url"),
    ])
    func aBadTokenIsRefused(token: String, reason: String) async throws {
        #expect(try refusal(token, by: try await withSecret()) == reason)
    }

    @Test func anAudienceThatIsNotOursNeedsOne() async throws {
        #expect(try refusal("hs256", by: try await withSecret(#""issuer": "https://id""#)) == "the token is for another audience")
        #expect(try refusal("no audience", by: try await withSecret(#""issuer": "https://id""#)) == nil)
    }

    @Test(arguments: ["RS256", "ES256", "EdDSA"])
    func aPublicKeyTakesItsOwnAlgorithmOnly(_ algorithm: String) async throws {
        let folder = try TemporaryFolder()
        let path = folder.path + "/key.pem"
        try #require(minted.pem[algorithm]).write(toFile: path, atomically: true, encoding: .utf8)
        let verifier = try await verifier(#""public_key": "\#(path)", "issuer": "https://id", "audience": "events""#)
        for other in ["RS256", "ES256", "EdDSA"] {
            let expected = other == algorithm ? nil : "no key of this host fits the token"
            #expect(try refusal(other, by: verifier) == expected)
        }
        // The public key is no secret: an HMAC made with it says nothing.
        #expect(try refusal("confused", by: verifier) == "no key of this host fits the token")
        #expect(try refusal("confused kid", by: verifier) == "no key of this host fits the token")
        #expect(try refusal("hs256", by: verifier) == "no key of this host fits the token")
        if algorithm == "ES256" { #expect(try refusal("ES256 in DER", by: verifier) == "the signature does not hold") }
        await verifier.close()
    }

    @Test(arguments: ["P384", "RSA1024"])
    func aKeyThatCannotBeUsedHoldsTheVerifier(_ name: String) async throws {
        let folder = try TemporaryFolder()
        let path = folder.path + "/key.pem"
        let verifier = try TestHost().make(JWTAuthenticator.self, #"{ "public_key": "\#(path)" }"#)
        let missing = await #expect(throws: ModuleError.self) { try await verifier.open() }
        #expect(missing?.message == "the key file \(path) cannot be read: No such file or directory")
        try #require(minted.pem[name]).write(toFile: path, atomically: true, encoding: .utf8)
        let error = await #expect(throws: ModuleError.self) { try await verifier.open() }
        #expect(error?.kind == .blocked)
        #expect(error?.message.contains("holds no public key in PEM of RSA (2,048 bits or more), P-256 or Ed25519") == true)
        #expect(throws: AuthenticationFailure.self) { try verifier.authenticate(try request("RS256")) }
    }

    @Test func aSetFindsTheKeyByItsName() async throws {
        let folder = try TemporaryFolder()
        let path = folder.path + "/jwks.json"
        try minted.jwks.write(toFile: path, atomically: true, encoding: .utf8)
        let verifier = try await verifier(#""jwks": "\#(path)", "issuer": "https://id", "audience": "events""#)
        for name in ["RS256", "ES256", "EdDSA", "RS256 without kid", "ES256 without kid", "EdDSA without kid"] {
            #expect(try refusal(name, by: verifier) == nil, "\(name)")
        }
        for name in ["RS256 of another", "confused", "confused kid"] {
            #expect(try refusal(name, by: verifier) == "no key of this host fits the token", "\(name)")
        }
        // Another set comes in its place; then one that cannot be read, which changes nothing.
        try #"{"keys":[]}"#.write(toFile: path, atomically: true, encoding: .utf8)
        await verifier.reload()
        #expect(try refusal("RS256", by: verifier) == nil)
        let secret = Data(minted.secret.utf8).base64EncodedString().replacingOccurrences(of: "=", with: "")
        try #"{"keys":[{"kty":"oct","k":"\#(secret)"}]}"#.write(toFile: path, atomically: true, encoding: .utf8)
        await waitUntil { (try? refusal("hs256", by: verifier)) == .some(nil) }
        #expect(try refusal("RS256", by: verifier) == "no key of this host fits the token")
        await verifier.close()
    }

    /// RFC 7517, section 5: the others of the set are as good as before.
    @Test func keysThatAreNoneAreLeftOut() async throws {
        let folder = try TemporaryFolder()
        let path = folder.path + "/jwks.json"
        let bad = #"{"kty":"RSA","kid":"short","n":"AQAB","e":"AQAB"},{"kty":"EC","crv":"P-256","x":"AA","y":"AA"},{"kty":"RSA"},{"kty":"oct","k":"AA"},7"#
        try minted.jwks.replacing("[", with: "[\(bad),", maxReplacements: 1).write(toFile: path, atomically: true, encoding: .utf8)
        let verifier = try await verifier(#""jwks": "\#(path)", "issuer": "https://id", "audience": "events""#)
        for name in ["RS256", "ES256", "EdDSA"] { #expect(try refusal(name, by: verifier) == nil, "\(name)") }
        await verifier.close()
        try "{\"keys\":[\(bad)]}".write(toFile: path, atomically: true, encoding: .utf8)
        let error = await #expect(throws: ModuleError.self) { try await self.verifier(#""jwks": "\#(path)""#) }
        #expect(error?.kind == .blocked && error?.message.contains("key 0 is no public key of the kind it names") == true)
    }

    @Test func theTokenMayComeInACookie() async throws {
        let verifier = try await withSecret(#""issuer": "https://id", "audience": "events", "cookie": "session""#)
        let token = try #require(minted.tokens["hs256"])
        let exchange = FakeExchange(headers: [("Cookie", "theme=dark; session=\(token); x=1")])
        let caller = try verifier.authenticate(exchange)
        #expect(caller.id == "bob")
        #expect(caller.isAmbient)
        for cookie in ["theme=dark", "xsession=\(token)", "session", ""] {
            let failure = #expect(throws: AuthenticationFailure.self) {
                try verifier.authenticate(FakeExchange(headers: [("Cookie", cookie)]))
            }
            guard case .missing? = failure else { Issue.record("\(cookie): \(failure as Any)"); continue }
        }
    }

    @Test func claimsAreReadAndCompared() async throws {
        let caller = try await withSecret().authenticate(request("roles"))
        #expect(caller.claim("sub") == "bob")
        #expect(caller.claim("realm.name") == "eu")
        #expect(caller.claim("level") == "3")
        #expect(caller.claim("roles") == #"["reader","writer"]"#)
        #expect(caller.claim("nothing") == nil)
        #expect(caller.holds("roles", "writer") && !caller.holds("roles", "admin") && !caller.holds("roles", #"["reader","writer"]"#))
        #expect(caller.holds("scope", "write") && caller.holds("scope", "read write") && !caller.holds("scope", "wri"))
        #expect(caller.holds("level", "3") && !caller.holds("sub", "bo") && !caller.holds("nothing", ""))
        #expect(!caller.isAmbient)
        #expect((caller.expiresAt ?? 0) > Timestamp.now() + 3_500_000)
    }

    @Test func everyChangedByteOfATokenIsNoticed() async throws {
        let verifier = try await withSecret()
        let token = Array(try #require(minted.tokens["hs256"]).utf8)
        for index in token.indices {
            var changed = token
            changed[index] = changed[index] == UInt8(ascii: "A") ? UInt8(ascii: "B") : UInt8(ascii: "A")
            let exchange = FakeExchange(headers: [("Authorization", "Bearer " + String(decoding: changed, as: UTF8.self))])
            #expect(throws: AuthenticationFailure.self, "byte \(index)") { try verifier.authenticate(exchange) }
        }
    }

    @Test func limitsAreKept() async throws {
        let verifier = try await withSecret()
        let long = String(repeating: "a", count: 8_193)
        let deep = "e30." + Data((String(repeating: "[", count: 9_00)).utf8).base64EncodedString() + ".AAAA"
        for token in [long, deep, "", ".", "..", "a.b", "a.b.c.d", "e30.e30.AA"] {
            let exchange = FakeExchange(headers: [("Authorization", "Bearer \(token)")])
            #expect(throws: AuthenticationFailure.self, "\(token.prefix(20))") { try verifier.authenticate(exchange) }
        }
    }

    @Test func badConfigsAreReported() throws {
        func report(_ json: String) -> String {
            do throws(ConfigError) {
                _ = try TestHost().make(JWTAuthenticator.self, json)
                return ""
            } catch {
                return error.description
            }
        }
        #expect(report("{}").contains("needs exactly one of `secret`, `public_key` and `jwks`, found none"))
        #expect(report(#"{"secret":"\#(minted.secret)","jwks":"x"}"#).contains("found `secret` and `jwks`"))
        #expect(report(#"{"secret":"short"}"#).contains("must have at least 32 bytes (RFC 7518, section 3.2), found 5 bytes"))
    }
}
