/// The algorithms of JWS (RFC 7518, RFC 8037) that tokens may be signed with. A key belongs to exactly one of them.
enum SigningAlgorithm: String, Sendable {
    case hs256 = "HS256"
    case rs256 = "RS256"
    case es256 = "ES256"
    case edDSA = "EdDSA"
}
