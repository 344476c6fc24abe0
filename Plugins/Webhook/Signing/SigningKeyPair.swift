import CCrypto
import Martlet

/// An ed25519 key (RFC 8032) that signs.
final class SigningKeyPair: @unchecked Sendable {
    // Unchecked: libcrypto's key is never changed, and may be used by several threads, each with a context of its own.
    private let key: OpaquePointer
    /// 32 bytes.
    let publicKey: Bytes

    /// Nil if the bytes are no key.
    init?(seed: Bytes) {
        let made = seed.withUnsafeBytes { bytes in
            EVP_PKEY_new_raw_private_key(
                EVP_PKEY_ED25519, nil, bytes.baseAddress?.assumingMemoryBound(to: UInt8.self), bytes.count)
        }
        guard let made else { return nil }
        key = made
        publicKey = Bytes(capacity: 32) { target in
            var count = 32
            _ = EVP_PKEY_get_raw_public_key(made, target.baseAddress?.assumingMemoryBound(to: UInt8.self), &count)
            return count
        }
    }

    deinit {
        EVP_PKEY_free(key)
    }

    /// 64 bytes.
    func signature(of content: UnsafeRawBufferPointer) -> Bytes {
        let context = EVP_MD_CTX_new()
        defer { EVP_MD_CTX_free(context) }
        return Bytes(capacity: 64) { target in
            var count = 64
            let isMade = EVP_DigestSignInit(context, nil, nil, nil, key) == 1
                && EVP_DigestSign(
                    context, target.baseAddress?.assumingMemoryBound(to: UInt8.self), &count,
                    content.baseAddress?.assumingMemoryBound(to: UInt8.self), content.count) == 1
            precondition(isMade && count == 64, "libcrypto cannot make an ed25519 signature")
            return 64
        }
    }
}
