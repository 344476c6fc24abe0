import CCrypto
import Martlet

/// JWK sets (RFC 7517). Keys of kinds, curves and uses that are not used here, and keys that are none, are left out, as
/// section 5 says: one that its issuer got wrong is no reason to know nobody.
extension KeySet {
    /// Why a file holds no usable keys.
    struct Problem: Error {
        let reason: String
    }

    init(jwks text: [UInt8]) throws(Problem) {
        let problems = ConfigProblems(file: "the JWK set")
        guard let node = JSONReader.read(text, problems: problems), problems.isEmpty else {
            throw Problem(reason: "it is not JSON")
        }
        guard case .array(let items)? = node["keys"]?.kind else { throw Problem(reason: "it has no list `keys`") }
        guard items.count <= Self.limit else { throw Problem(reason: "it has \(items.count) keys; at most \(Self.limit) are read") }
        var entries: [Entry] = []
        var flaws: [String] = []
        for (index, item) in items.enumerated() {
            if let use = item.plain("use"), use != "sig" { continue }
            do throws(Problem) {
                guard let key = try Self.key(item, index) else { continue }
                // A key with an `alg` is for that one only.
                if let algorithm = item.plain("alg"), algorithm != key.algorithm.rawValue { continue }
                entries.append(Entry(id: item.plain("kid"), key: key))
            } catch {
                flaws.append(error.reason)
            }
        }
        guard !entries.isEmpty else {
            throw Problem(reason: flaws.first ?? "none of its \(items.count) keys is for RS256, ES256, EdDSA or HS256")
        }
        self.init(entries, flaws: flaws)
    }

    private static func key(_ node: JSONNode, _ index: Int) throws(Problem) -> VerificationKey? {
        func bytes(_ name: String, count: Int? = nil) throws(Problem) -> [UInt8] {
            guard let bytes = node.plain(name).flatMap({ Base64URL.decode($0) }), !bytes.isEmpty, count == nil || bytes.count == count else {
                throw Problem(reason: "key \(index) has no good `\(name)`")
            }
            return bytes
        }
        let key: VerificationKey?
        switch (node.plain("kty"), node.plain("crv")) {
        case ("RSA", _):
            let (modulus, exponent) = (try bytes("n"), try bytes("e"))
            key = VerificationKey(taking: ccrypto_rsa_key(modulus, modulus.count, exponent, exponent.count))
        case ("EC", "P-256"):
            key = VerificationKey(taking: ccrypto_p256_key([4] + (try bytes("x", count: 32)) + (try bytes("y", count: 32))))
        case ("OKP", "Ed25519"):
            key = VerificationKey(taking: ccrypto_ed25519_key(try bytes("x", count: 32)))
        case ("oct", _):
            key = VerificationKey(secret: try bytes("k"))
        default:
            return nil
        }
        guard let key else {
            throw Problem(reason: "key \(index) is no public key of the kind it names, or too short (RSA 2,048 bits, secrets 32 bytes)")
        }
        return key
    }
}

extension JSONNode {
    /// The text of a string member.
    func plain(_ name: String) -> String? {
        if case .string(let text)? = self[name]?.kind { text } else { nil }
    }
}
