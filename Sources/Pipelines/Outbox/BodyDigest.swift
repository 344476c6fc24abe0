import CCrypto
import Martlet

/// SHA-256 of a request's body, as text: `sha256-` and 64 hexadecimal digits.
struct BodyDigest: Sendable, Equatable {
    private static let prefix = "sha256-"

    let text: String

    init(_ body: Bytes) {
        var digest = [UInt8](repeating: 0, count: 32)
        body.withUnsafeBytes { ccrypto_sha256($0.baseAddress, $0.count, &digest) }
        text = Self.prefix + digest.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }

    /// Whether a digest of the database may be this body's. One of a release that had another algorithm cannot be compared
    /// and is taken for the same; those are forgotten within ``IdempotencyTable/keptHours``.
    func matches(_ stored: String) -> Bool {
        stored == text || !stored.hasPrefix(Self.prefix)
    }
}
