import Martlet

/// The keys that tokens of one verifier may be signed with.
struct KeySet: Sendable {
    struct Entry: Sendable {
        /// The `kid`; nil if the key has none.
        let id: String?
        let key: VerificationKey
    }

    /// Keys of a JWK set that are looked at; more are a problem of the file.
    static let limit = 100

    let entries: [Entry]
    /// What is wrong with keys that were left out.
    let flaws: [String]

    init(_ entries: [Entry], flaws: [String] = []) {
        self.entries = entries
        self.flaws = flaws
    }

    /// The one key that a token's header points to. The algorithm is the key's: a header that names another one is
    /// refused, whatever it names.
    func key(algorithm: String, id: String?) throws(AuthenticationFailure) -> VerificationKey {
        guard let wanted = SigningAlgorithm(rawValue: algorithm) else {
            throw .invalidToken("the algorithm of the token is not accepted")
        }
        var fitting = entries.filter { $0.key.algorithm == wanted }
        if let id, fitting.contains(where: { $0.id != nil }) { fitting = fitting.filter { $0.id == id } }
        guard let entry = fitting.first else { throw .invalidToken("no key of this host fits the token") }
        guard fitting.count == 1 else { throw .invalidToken("the token must name its key (kid)") }
        return entry.key
    }
}

extension AuthenticationFailure {
    /// A token that does not hold (RFC 6750, section 3.1).
    static func invalidToken(_ reason: String) -> AuthenticationFailure {
        .refused(code: "auth.invalid_token", reason: reason)
    }
}
