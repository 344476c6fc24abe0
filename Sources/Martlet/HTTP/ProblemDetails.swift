/// An error answer as RFC 9457 describes it (`application/problem+json`).
public struct ProblemDetails: Sendable {
    public let status: Int
    public let title: String
    public let detail: String?
    /// Members beside the standard ones.
    public let extensions: [(name: String, value: String)]

    public init(status: Int, title: String, detail: String? = nil, extensions: [(name: String, value: String)] = []) {
        self.status = status
        self.title = title
        self.detail = detail
        self.extensions = extensions
    }

    /// The answer to send.
    public func response(headers: [(name: String, value: String)] = []) -> HTTPResponse {
        var json = "{\"type\":\"about:blank\",\"title\":\(JSONText.quoted(title)),\"status\":\(status)"
        if let detail { json += ",\"detail\":\(JSONText.quoted(detail))" }
        for member in extensions { json += ",\(JSONText.quoted(member.name)):\(JSONText.quoted(member.value))" }
        json += "}\n"
        return HTTPResponse(
            status: status, headers: [("Content-Type", "application/problem+json")] + headers, body: Bytes(json)
        )
    }
}
