import Martlet

/// What the claims of a token must say (RFC 7519, section 4.1), once its signature holds.
struct TokenRules: Sendable {
    let issuer: String?
    let audience: String?
    let leewaySeconds: Int
    /// The claim that tells callers apart.
    let identityClaim: String

    /// Times beyond the year 9999 are no times.
    private static let secondsMax = 253_402_300_799.0

    /// - Parameter now: milliseconds since the epoch.
    func caller(_ claims: JSONObject, isAmbient: Bool, now: Int64) throws(AuthenticationFailure) -> Caller {
        let seconds = Double(now) / 1_000
        guard let end = try time("exp", claims) else { throw .invalidToken("the token has no end (exp)") }
        guard seconds < end + Double(leewaySeconds) else { throw .invalidToken("the token has expired") }
        if let start = try time("nbf", claims), seconds < start - Double(leewaySeconds) {
            throw .invalidToken("the token is not valid yet")
        }
        if let issuer {
            guard case .string(issuer)? = claims["iss"]?.kind else { throw .invalidToken("the token is of another issuer") }
        }
        try checkAudience(claims)
        let identity = Caller(id: "", claims: claims).claim(identityClaim) ?? ""
        guard !identity.isEmpty else { throw .invalidToken("the token names nobody: it has no \(identityClaim)") }
        return Caller(
            id: identity, claims: claims, expiresAt: Int64((end + Double(leewaySeconds)) * 1_000), isAmbient: isAmbient)
    }

    private func time(_ name: String, _ claims: JSONObject) throws(AuthenticationFailure) -> Double? {
        guard let node = claims[name] else { return nil }
        guard case .number(let number) = node.kind, number.double >= 0, number.double <= Self.secondsMax else {
            throw .invalidToken("the token's \(name) is no time")
        }
        return number.double
    }

    /// A token that is for somebody must be for us.
    private func checkAudience(_ claims: JSONObject) throws(AuthenticationFailure) {
        let found: [String]
        switch claims["aud"]?.kind {
        case nil: found = []
        case .string(let text)?: found = [text]
        case .array(let items)?: found = items.compactMap { if case .string(let text) = $0.kind { text } else { nil } }
        default: throw .invalidToken("the token's aud is neither a text nor a list")
        }
        if claims["aud"] == nil, audience == nil { return }
        guard let audience, found.contains(audience) else { throw .invalidToken("the token is for another audience") }
    }
}
