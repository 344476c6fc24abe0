import CCrypto

/// A key that checks signatures of one algorithm.
final class VerificationKey: @unchecked Sendable {
    // Unchecked: libcrypto only reads the key, which any number of threads may do at once.
    private enum Material {
        case secret([UInt8])
        case publicKey(OpaquePointer)
    }

    /// RFC 7518, section 3.2: a key of HS256 has at least the size of the hash.
    static let secretBytesMin = 32

    let algorithm: SigningAlgorithm
    private let material: Material

    /// Nil if the secret is too short.
    init?(secret: [UInt8]) {
        guard secret.count >= Self.secretBytesMin else { return nil }
        algorithm = .hs256
        material = .secret(secret)
    }

    /// Takes the key over. Nil if it is no key of RSA with at least 2,048 bits, P-256 or Ed25519.
    init?(taking key: OpaquePointer?) {
        guard let key else { return nil }
        switch ccrypto_key_kind(key) {
        case 1: algorithm = .rs256
        case 2: algorithm = .es256
        case 3: algorithm = .edDSA
        default:
            EVP_PKEY_free(key)
            return nil
        }
        material = .publicKey(key)
    }

    /// From PEM. Nil as ``init(taking:)``.
    convenience init?(pem: [UInt8]) {
        self.init(taking: pem.withUnsafeBytes { ccrypto_public_key_pem($0.baseAddress, $0.count) })
    }

    deinit {
        if case .publicKey(let key) = material { EVP_PKEY_free(key) }
    }

    /// Whether the signature over the bytes was made with this key.
    func verifies(_ signature: [UInt8], over bytes: ArraySlice<UInt8>) -> Bool {
        bytes.withUnsafeBytes { content in
            switch material {
            case .secret(let secret):
                var code = [UInt8](repeating: 0, count: 32)
                guard signature.count == 32,
                    ccrypto_hmac_sha256(secret, secret.count, content.baseAddress, content.count, &code) == 1
                else { return false }
                return ccrypto_equal(code, signature, 32) == 1
            case .publicKey(let key) where algorithm == .es256:
                return signature.count == 64 && ccrypto_verify_p256(key, signature, content.baseAddress, content.count) == 1
            case .publicKey(let key):
                let digest: Int32 = algorithm == .edDSA ? 0 : 1
                return ccrypto_verify(key, digest, signature, signature.count, content.baseAddress, content.count) == 1
            }
        }
    }
}
