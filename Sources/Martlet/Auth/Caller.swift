/// Who sent a request, as an ``Authenticator`` verified it.
public struct Caller: Sendable {
    /// Tells callers of one verifier apart: the `sub` of a token, the name of a key.
    public let id: String
    /// What is known of the caller, as the token has it. Strings are plain text, not templates.
    public let claims: JSONObject
    /// When the caller's credentials end, in milliseconds since the epoch; nil if they do not.
    public let expiresAt: Int64?
    /// Whether a browser sends the credentials by itself, whatever page the request comes from: a cookie.
    public let isAmbient: Bool
    /// The name of the verifier under `auth`; the platform sets it.
    public package(set) var verifier = ""

    public init(id: String, claims: JSONObject, expiresAt: Int64? = nil, isAmbient: Bool = false) {
        self.id = id
        self.claims = claims
        self.expiresAt = expiresAt
        self.isAmbient = isAmbient
    }

    /// Names the caller among those of all verifiers.
    public var scope: String { "\(verifier)/\(id)" }

    /// A claim as text: a string's content, a number's digits, JSON otherwise; nil if there is none. A name with dots
    /// goes into objects unless a claim is called so.
    public func claim(_ name: String) -> String? {
        node(name).flatMap { node in
            switch node.kind {
            case .string(let text): text
            case .null: nil
            default: JSONWriter.text(node)
            }
        }
    }

    /// Whether a claim is this text, or a list that has it. `scope` is a list of words (RFC 8693, section 4.2).
    ///
    /// Texts are compared code point by code point (RFC 7519, section 2, StringOrURI): `é` as one of them is another user
    /// than `é` as two, though Swift's own comparison takes them for the same.
    public func holds(_ name: String, _ text: String) -> Bool {
        func isText(_ claim: some StringProtocol) -> Bool { claim.utf8.elementsEqual(text.utf8) }
        guard let node = node(name) else { return false }
        switch node.kind {
        case .string(let claim):
            return isText(claim) || (name == "scope" && claim.split(separator: " ").contains { isText($0) })
        case .array(let items):
            return items.contains { item in
                if case .string(let claim) = item.kind { isText(claim) } else { false }
            }
        case .number, .bool:
            return isText(JSONWriter.text(node))
        case .null, .object:
            return false
        }
    }

    private func node(_ name: String) -> JSONNode? {
        if let node = claims[name] { return node }
        guard name.utf8.contains(UInt8(ascii: ".")) else { return nil }
        var node = JSONNode(.object(claims))
        for part in name.split(separator: ".", omittingEmptySubsequences: false) {
            guard let inner = node[String(part)] else { return nil }
            node = inner
        }
        return node
    }
}
