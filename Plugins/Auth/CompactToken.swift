import Martlet

/// A JSON Web Token in its compact form (RFC 7515, section 7.1), taken apart; nothing of it is verified yet.
struct CompactToken {
    let algorithm: String
    let keyID: String?
    let claims: JSONObject
    let signature: [UInt8]
    /// What the signature is over: header, dot, payload as they came.
    let signed: ArraySlice<UInt8>

    /// Objects and lists inside each other in a token's JSON.
    private static let depthLimit = 8

    init(_ text: String, bytesMax: Int) throws(AuthenticationFailure) {
        let bytes = Array(text.utf8)
        guard bytes.count <= bytesMax else { throw .invalidToken("the token has more than \(bytesMax) bytes") }
        let parts = bytes.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard parts.count == 3 else { throw .invalidToken("the token is no JSON Web Token of three parts") }
        let header = try Self.object(parts[0])
        guard case .string(let algorithm)? = header["alg"]?.kind else { throw .invalidToken("the token names no algorithm") }
        // RFC 7515, section 4.1.11: extensions that are not understood must be refused, and none is.
        guard header["crit"] == nil, header["b64"] == nil else {
            throw .invalidToken("the token needs an extension that is not understood")
        }
        self.algorithm = algorithm
        if case .string(let id)? = header["kid"]?.kind { keyID = id } else { keyID = nil }
        claims = try Self.object(parts[1])
        guard let signature = Base64URL.decode(String(decoding: parts[2], as: UTF8.self)) else {
            throw .invalidToken("the token's signature is not base64url")
        }
        self.signature = signature
        signed = bytes[..<parts[1].endIndex]
    }

    private static func object(_ part: ArraySlice<UInt8>) throws(AuthenticationFailure) -> JSONObject {
        var limits = JSONReader.Limits()
        limits.depth = depthLimit
        let problems = ConfigProblems(file: "")
        guard let text = Base64URL.decode(String(decoding: part, as: UTF8.self)),
            let node = JSONReader.read(text, limits: limits, problems: problems), problems.isEmpty,
            case .object(let object) = node.kind
        else { throw .invalidToken("the token's parts are no JSON objects in base64url") }
        return object
    }
}
