import Glibc
import Martlet

/// A file of keys, read whole; it tells when it has become another one.
struct KeyFile: Sendable {
    /// Tells one content of a path from the next, also when the path is a link that was turned round.
    struct Mark: Equatable, Sendable {
        private let inode: UInt
        private let size: Int
        private let seconds: Int
        private let nanoseconds: Int

        /// Nil if there is no such file.
        init?(_ path: String) {
            var status = stat()
            guard stat(path, &status) == 0 else { return nil }
            inode = UInt(status.st_ino)
            size = Int(status.st_size)
            seconds = status.st_mtim.tv_sec
            nanoseconds = status.st_mtim.tv_nsec
        }
    }

    private static let bytesMax = 1 << 20

    let path: String
    let holdsSet: Bool

    var mark: Mark? { Mark(path) }

    /// Reads the keys; what is wrong with them is the operator's to mend.
    func read() throws(ModuleError) -> KeySet {
        let bytes: [UInt8]
        do throws(ConfigFileReader.Failure) {
            bytes = try ConfigFileReader.read(path, limit: Self.bytesMax, allowsPipes: false)
        } catch {
            throw .blocked("auth.no_keys", "the key file \(path) cannot be read: \(error.reason)")
        }
        if holdsSet {
            do throws(KeySet.Problem) {
                return try KeySet(jwks: bytes)
            } catch {
                throw .blocked("auth.no_keys", "the JWK set \(path) cannot be used: \(error.reason)")
            }
        }
        guard let key = VerificationKey(pem: bytes) else {
            throw .blocked(
                "auth.no_keys",
                "\(path) holds no public key in PEM of RSA (2,048 bits or more), P-256 or Ed25519; "
                    + "`openssl pkey -pubout` writes one")
        }
        return KeySet([KeySet.Entry(id: nil, key: key)])
    }
}
