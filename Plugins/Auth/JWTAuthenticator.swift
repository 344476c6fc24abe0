public import Martlet
import Synchronization

/// Verifies JSON Web Tokens (RFC 7519) signed with HS256, RS256, ES256 or EdDSA.
///
/// The algorithm is the key's, never the token's choice: `none`, and an HMAC with a public key as its secret, find no key.
public final class JWTAuthenticator: Authenticator {
    public typealias Config = JWTConfig

    public static let name = "jwt"
    public static let summary = "JSON Web Tokens: HS256, RS256, ES256 or EdDSA, with a secret, a public key or a JWK set."

    /// How often a key file is looked at.
    private static let watchInterval = Duration.seconds(2)

    private struct State {
        var keys: KeySet?
        var mark: KeyFile.Mark?
        var watch: Task<Void, Never>?
    }

    public let challenge = "Bearer"
    private let file: KeyFile?
    private let rules: TokenRules
    private let cookie: String?
    private let maxTokenBytes: Int
    private let logger: Logger
    private let secretKeys: KeySet?
    private let state = Mutex(State())

    public init?(config: Config, context: ModuleContext) {
        file = config.jwks.map { KeyFile(path: $0.resolved, holdsSet: true) }
            ?? config.publicKey.map { KeyFile(path: $0.resolved, holdsSet: false) }
        secretKeys = config.secret.flatMap { VerificationKey(secret: Array($0.plain.utf8)) }
            .map { KeySet([KeySet.Entry(id: nil, key: $0)]) }
        rules = TokenRules(
            issuer: config.issuer, audience: config.audience, leewaySeconds: config.leewaySeconds,
            identityClaim: config.identityClaim)
        cookie = config.cookie
        maxTokenBytes = config.maxTokenBytes
        logger = context.logger
    }

    public func open() async throws {
        guard let file else { return state.withLock { $0.keys = secretKeys } }
        let mark = file.mark
        let keys = try file.read()
        warn(of: keys, file)
        let watch = Task { [weak self] in
            while (try? await Task.sleep(for: Self.watchInterval)) != nil {
                guard let self else { return }
                if file.mark != self.state.withLock({ $0.mark }) { await self.reload() }
            }
        }
        let old = state.withLock { state in
            defer { state = State(keys: keys, mark: mark, watch: watch) }
            return state.watch
        }
        old?.cancel()
    }

    /// A file that cannot be read any more, or is no key, leaves the keys that are there.
    public func reload() async {
        guard let file else { return }
        let mark = file.mark
        do throws(ModuleError) {
            let keys = try file.read()
            state.withLock { state in
                if state.keys != nil { state.keys = keys }
                state.mark = mark
            }
            logger.info("keys read again", ("file", file.path), ("keys", String(keys.entries.count)))
            warn(of: keys, file)
        } catch {
            state.withLock { $0.mark = mark }
            logger.warning("\(error.message); the keys from before stay in force", ("code", error.code))
        }
    }

    private func warn(of keys: KeySet, _ file: KeyFile) {
        guard let flaw = keys.flaws.first else { return }
        logger.warning("\(keys.flaws.count) keys of the JWK set are left out: \(flaw)", ("file", file.path), ("code", "auth.bad_key"))
    }

    public func authenticate(_ exchange: any HTTPExchange) throws(AuthenticationFailure) -> Caller {
        if let token = Credentials.bearer(exchange) { return try verify(token, isAmbient: false) }
        if let cookie, let token = Credentials.cookie(cookie, exchange) { return try verify(token, isAmbient: true) }
        throw .missing
    }

    private func verify(_ text: String, isAmbient: Bool) throws(AuthenticationFailure) -> Caller {
        guard let keys = state.withLock({ $0.keys }) else {
            throw .unavailable(.transient("auth.no_keys", "the keys have not been read"))
        }
        let token = try CompactToken(text, bytesMax: maxTokenBytes)
        let key = try keys.key(algorithm: token.algorithm, id: token.keyID)
        guard key.verifies(token.signature, over: token.signed) else { throw .invalidToken("the signature does not hold") }
        return try rules.caller(token.claims, isAmbient: isAmbient, now: Timestamp.now())
    }

    public func close() async {
        let watch = state.withLock { state in
            defer { state = State() }
            return state.watch
        }
        watch?.cancel()
    }
}
