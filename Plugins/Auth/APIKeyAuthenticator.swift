public import Martlet

/// Verifies keys that were given out to programs.
///
/// A key is looked for among all keys in a time that depends on none of them.
public final class APIKeyAuthenticator: Authenticator {
    public typealias Config = APIKeyConfig

    public static let name = "api_key"
    public static let summary = "Keys given out to programs, in X-API-Key or as a bearer token."

    /// Longer ones are nobody's.
    private static let keyBytesMax = 1_024

    private struct Key: Sendable {
        let digest: APIKeyDigest
        let caller: Caller
    }

    public let challenge = "Bearer"
    private let header: String
    private let keys: [Key]

    public init?(config: Config, context: ModuleContext) {
        header = config.header
        keys = config.keys.compactMap { entry in
            let digest = entry.key.map { APIKeyDigest(of: $0.plain) } ?? entry.sha256.flatMap { APIKeyDigest(hexadecimal: $0) }
            let claims = [JSONObject.Member(key: "sub", value: .string(entry.name))]
                + entry.claims.map { JSONObject.Member(key: $0.key, value: .string($0.value)) }
            return digest.map { Key(digest: $0, caller: Caller(id: entry.name, claims: JSONObject(members: claims))) }
        }
    }

    public func open() async throws {}

    public func authenticate(_ exchange: any HTTPExchange) throws(AuthenticationFailure) -> Caller {
        guard let given = exchange.header(header) ?? Credentials.bearer(exchange) else { throw .missing }
        guard given.utf8.count <= Self.keyBytesMax else { throw .unknownKey }
        let digest = APIKeyDigest(of: given)
        var found: Caller?
        for key in keys where key.digest.matches(digest) { found = key.caller }
        guard let found else { throw .unknownKey }
        return found
    }

    public func close() async {}
}

extension AuthenticationFailure {
    fileprivate static var unknownKey: AuthenticationFailure {
        .refused(code: "auth.unknown_key", reason: "the key is not known")
    }
}
