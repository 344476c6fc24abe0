/// What is wrong with a signing secret; it never repeats the secret.
enum SigningKeyProblem: Error {
    case unknownPrefix
    case notBase64
    case wrongLength(Int)
    case badKey
    case noRandomness

    var text: String {
        switch self {
        case .unknownPrefix:
            "a secret begins with `whsec_` (HMAC-SHA256) or `whsk_` (ed25519); make one with "
                + "`echo whsec_$(openssl rand -base64 32)`"
        case .notBase64: "what follows the secret's prefix is not base64 (RFC 4648, with padding)"
        case .wrongLength(let count):
            "a secret has 24 to 64 bytes after `whsec_`, and an ed25519 key 32 or 64 after `whsk_`; this one has \(count)"
        case .badKey: "what follows `whsk_` is no ed25519 key: 32 bytes of seed, or 64 with its public key behind them"
        case .noRandomness: "libcrypto has no random numbers"
        }
    }
}
