import CCrypto
import Foundation
import TestSupport

/// JSON Web Tokens signed with HS256.
enum TestToken {
    static let secret = "the secret of these tests, of more than 32 bytes"

    static func of(_ user: String, seconds: Double = 600, _ more: [String: Any] = [:]) throws -> String {
        let claims = ["sub": user, "exp": Date().timeIntervalSince1970 + seconds] as [String: Any]
        let header = base64URL(Data(#"{"alg":"HS256","typ":"JWT"}"#.utf8))
        let signed = header + "." + base64URL(try JSONSerialization.data(withJSONObject: claims.merging(more) { $1 }))
        var code = [UInt8](repeating: 0, count: 32)
        let (key, bytes) = (Array(secret.utf8), Array(signed.utf8))
        guard ccrypto_hmac_sha256(key, key.count, bytes, bytes.count, &code) == 1 else { throw TestFailure("no HMAC") }
        return signed + "." + base64URL(Data(code))
    }

    /// A header line that carries it.
    static func bearer(_ user: String, seconds: Double = 600) throws -> String {
        "Authorization: Bearer \(try of(user, seconds: seconds))"
    }

    private static func base64URL(_ data: Data) -> String {
        data.base64EncodedString().replacingOccurrences(of: "+", with: "-").replacingOccurrences(of: "/", with: "_")
            .replacingOccurrences(of: "=", with: "")
    }
}
