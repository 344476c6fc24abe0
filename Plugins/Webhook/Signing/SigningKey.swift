import CCrypto
import Martlet

/// A secret of an endpoint, which signs as Standard Webhooks 1.0 says: over `id.timestamp.body`.
///
/// `whsec_` and base64 of 24 to 64 bytes is a symmetric secret (`v1`, HMAC-SHA256). `whsk_` and base64 of an ed25519 key
/// signs asymmetrically (`v1a`): 32 bytes of seed, or 64 with the public key behind them. Never written to a log.
struct SigningKey: Sendable {
    private enum Kind: Sendable {
        case symmetric(Bytes)
        case asymmetric(SigningKeyPair)
    }

    /// What kinds there are to make.
    enum Algorithm: String {
        case v1, v1a
    }

    private static let symmetricPrefix = "whsec_"
    private static let privatePrefix = "whsk_"
    private static let publicPrefix = "whpk_"

    /// As it is written in configs and the database.
    let text: String
    private let kind: Kind

    /// - Throws: what is wrong, without the secret.
    init(_ text: String) throws(SigningKeyProblem) {
        self.text = text
        if text.hasPrefix(Self.symmetricPrefix) {
            guard let bytes = Base64.decode(String(text.dropFirst(Self.symmetricPrefix.count))) else { throw .notBase64 }
            guard (24...64).contains(bytes.count) else { throw .wrongLength(bytes.count) }
            kind = .symmetric(bytes)
        } else if text.hasPrefix(Self.privatePrefix) {
            guard let bytes = Base64.decode(String(text.dropFirst(Self.privatePrefix.count))) else { throw .notBase64 }
            guard bytes.count == 32 || bytes.count == 64 else { throw .wrongLength(bytes.count) }
            guard let pair = SigningKeyPair(seed: bytes.slice(0..<32)) else { throw .badKey }
            if bytes.count == 64, pair.publicKey != bytes.slice(32..<64) { throw .badKey }
            kind = .asymmetric(pair)
        } else {
            throw .unknownPrefix
        }
    }

    /// A new random secret.
    static func generate(_ algorithm: Algorithm) throws(SigningKeyProblem) -> SigningKey {
        var random = [UInt8](repeating: 0, count: 32)
        guard ccrypto_random(&random, random.count) == 1 else { throw .noRandomness }
        let seed = Bytes(random)
        switch algorithm {
        case .v1: return try SigningKey(symmetricPrefix + Base64.encode(seed))
        case .v1a:
            guard let pair = SigningKeyPair(seed: seed) else { throw .badKey }
            return try SigningKey(privatePrefix + Base64.encode(Bytes(random + pair.publicKey.withUnsafeBytes { Array($0) })))
        }
    }

    /// `whpk_…`, for receivers; nil for a symmetric secret.
    var publicKey: String? {
        if case .asymmetric(let pair) = kind { Self.publicPrefix + Base64.encode(pair.publicKey) } else { nil }
    }

    var algorithm: Algorithm {
        if case .symmetric = kind { .v1 } else { .v1a }
    }

    /// A signature as `webhook-signature` has it: `v1,…` or `v1a,…`.
    ///
    /// - Parameter content: `id.timestamp.body`.
    func signature(of content: UnsafeRawBufferPointer) -> String {
        switch kind {
        case .symmetric(let secret):
            let code = Bytes(capacity: 32) { target in
                let isMade = secret.withUnsafeBytes { key in
                    ccrypto_hmac_sha256(
                        key.baseAddress, key.count, content.baseAddress, content.count,
                        target.baseAddress?.assumingMemoryBound(to: UInt8.self))
                }
                precondition(isMade == 1, "libcrypto cannot compute an HMAC")
                return 32
            }
            return "v1," + Base64.encode(code)
        case .asymmetric(let pair):
            return "v1a," + Base64.encode(pair.signature(of: content))
        }
    }
}
