public import Martlet

/// The fields of `"type": "api_key"`.
public struct APIKeyConfig: ModuleConfig {
    public let keys: [APIKeyEntry]
    public let header: String

    /// Keys of one verifier.
    private static let limit = 1_000

    public init(from fields: inout ConfigFields) {
        keys = fields.required("keys", "The keys that are accepted, at most \(Self.limit).")
        header = fields.optional(
            "header", default: "X-API-Key", "The header field that carries a key; `Authorization: Bearer` does as well.")
        if keys.isEmpty || keys.count > Self.limit {
            fields.problem(at: "keys", "must have 1 to \(Self.limit) keys", found: String(keys.count))
        }
        let names = keys.map(\.name)
        if let twice = names.first(where: { name in names.count(where: { $0 == name }) > 1 }) {
            fields.problem(at: "keys", "has two keys of one name", found: JSONText.quoted(twice))
        }
    }
}

/// One of `keys`.
public struct APIKeyEntry: ModuleConfig {
    public let name: String
    public let key: ConfigText?
    public let sha256: String?
    public let claims: ConfigMap<String>

    /// A key that is shorter can be guessed.
    private static let bytesMin = 16

    public init(from fields: inout ConfigFields) {
        name = fields.required("name", "Names the caller; `${@claim.sub}` in templates.", example: "shop")
        key = fields.optional("key", "The key, at least \(Self.bytesMin) bytes.", example: "${env:SHOP_API_KEY}")
        sha256 = fields.optional(
            "sha256", "The key's SHA-256 in hexadecimal, so that the config holds no secret.")
        claims = fields.optional("claims", default: [:], "What else is known of the caller, for `require` and templates.")
        if (key == nil) == (sha256 == nil) {
            fields.problem(at: key == nil ? "name" : "key", with: ["key", "sha256"], "a key needs exactly one of `key` and `sha256`")
        }
        if let key, key.plain.utf8.count < Self.bytesMin {
            fields.problem(
                at: "key", "must have at least \(Self.bytesMin) bytes", found: "\(key.plain.utf8.count) bytes",
                hint: "openssl rand -hex 24")
        }
        if let sha256, APIKeyDigest(hexadecimal: sha256) == nil {
            fields.problem(at: "sha256", "must have 64 hexadecimal digits", found: JSONText.quoted(sha256))
        }
        if claims["sub"] != nil { fields.problem(at: "claims", "`sub` is the key's `name`") }
    }
}
