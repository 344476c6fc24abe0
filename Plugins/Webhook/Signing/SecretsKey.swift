import CCrypto
import Martlet

/// Encrypts secrets that are kept in the database: AES-256-GCM (NIST SP 800-38D).
///
/// ```
/// sealed1: │ base64 of: nonce (12 random bytes, new for each) │ ciphertext │ tag (16 bytes)
/// ```
///
/// The tag also covers where the secret belongs, so that one cannot be moved to another row.
struct SecretsKey: Sendable {
    /// What encrypted text begins with; a secret as it is begins with `whsec_` or `whsk_`.
    static let prefix = "sealed1:"

    private static let byteCount = 32
    private static let nonceCount = 12
    private static let tagCount = 16

    private let bytes: Bytes

    /// Nil if the text is not 32 bytes in base64.
    init?(_ base64: String) {
        guard let bytes = Base64.decode(base64), bytes.count == Self.byteCount else { return nil }
        self.bytes = bytes
    }

    /// Encrypts a text.
    ///
    /// - Parameter place: where it belongs.
    /// - Throws: transient, `webhook.no_randomness`, if libcrypto has no random numbers.
    func seal(_ text: String, at place: String) throws(ModuleError) -> String {
        var nonce = [UInt8](repeating: 0, count: Self.nonceCount)
        guard ccrypto_random(&nonce, nonce.count) == 1 else {
            throw .transient("webhook.no_randomness", "libcrypto has no random numbers")
        }
        let (plain, context) = (Array(text.utf8), Array(place.utf8))
        var sealed = [UInt8](repeating: 0, count: plain.count + Self.tagCount)
        let isSealed = bytes.withUnsafeBytes { key in
            ccrypto_seal(
                key.baseAddress?.assumingMemoryBound(to: UInt8.self), nonce, context, context.count, plain, plain.count, &sealed)
        }
        precondition(isSealed == 1, "libcrypto cannot encrypt with AES-256-GCM")
        return Self.prefix + Base64.encode(Bytes(nonce + sealed))
    }

    /// Decrypts what ``seal(_:at:)`` has made; nil if it was made with another key, for another place, or changed since.
    func open(_ text: String, at place: String) -> String? {
        guard text.hasPrefix(Self.prefix), let found = Base64.decode(String(text.dropFirst(Self.prefix.count))),
            found.count >= Self.nonceCount + Self.tagCount
        else { return nil }
        let all = found.withUnsafeBytes { Array($0) }
        let (nonce, sealed, context) = (Array(all.prefix(Self.nonceCount)), Array(all.dropFirst(Self.nonceCount)), Array(place.utf8))
        var plain = [UInt8](repeating: 0, count: sealed.count - Self.tagCount)
        let isOpen = bytes.withUnsafeBytes { key in
            ccrypto_unseal(
                key.baseAddress?.assumingMemoryBound(to: UInt8.self), nonce, context, context.count, sealed, plain.count, &plain)
        }
        return isOpen == 1 ? String(decoding: plain, as: UTF8.self) : nil
    }
}
