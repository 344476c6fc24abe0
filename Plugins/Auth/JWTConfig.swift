public import Martlet

/// The fields of `"type": "jwt"`.
public struct JWTConfig: ModuleConfig {
    public let secret: ConfigText?
    public let publicKey: ConfigFilePath?
    public let jwks: ConfigFilePath?
    public let issuer: String?
    public let audience: String?
    public let leewaySeconds: Int
    public let identityClaim: String
    public let cookie: String?
    public let maxTokenBytes: Int

    public init(from fields: inout ConfigFields) {
        secret = fields.optional(
            "secret", "The key of tokens signed with HS256, at least 32 bytes.", example: "${env:JWT_SECRET}")
        publicKey = fields.optional(
            "public_key", "A PEM file with the public key: RSA for RS256, P-256 for ES256, Ed25519 for EdDSA.",
            example: "keys/issuer.pem")
        jwks = fields.optional(
            "jwks", "A JWK set as the issuer publishes it; read again when the file changes.", example: "keys/jwks.json")
        issuer = fields.optional("issuer", "What `iss` must be.", example: "https://id.example.com/")
        audience = fields.optional(
            "audience", "What `aud` must be or contain. A token that has an `aud` is refused without it.",
            example: "notifications")
        leewaySeconds = fields.optional(
            "leeway_seconds", default: 10, in: 0...600, "How far the issuer's clock may be from this host's.")
        identityClaim = fields.optional(
            "identity_claim", default: "sub", "The claim that tells callers apart, for limits and idempotency keys.")
        cookie = fields.optional(
            "cookie", "A cookie that may carry the token instead of `Authorization: Bearer`.", example: "session")
        maxTokenBytes = fields.optional(
            "max_token_bytes", default: 8_192, in: 256...65_536, "The largest token.")
        let given = ["secret", "public_key", "jwks"].filter { fields.isPresent($0) }
        if given.count != 1 {
            fields.problem(
                at: given.last ?? "secret", "needs exactly one of `secret`, `public_key` and `jwks`",
                found: given.isEmpty ? "none" : given.map { "`\($0)`" }.joined(separator: " and "))
        }
        if let secret, secret.plain.utf8.count < VerificationKey.secretBytesMin {
            fields.problem(
                at: "secret", "must have at least \(VerificationKey.secretBytesMin) bytes (RFC 7518, section 3.2)",
                found: "\(secret.plain.utf8.count) bytes", hint: "openssl rand -base64 48")
        }
    }
}
