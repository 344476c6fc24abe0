import Martlet

/// Why a request did not get to its route (RFC 9457 bodies; RFC 9110, section 11.6.1, and RFC 6750, section 3, for the challenge).
struct AccessRefusal: Error {
    /// Short, for the metrics: `missing`, `refused`, `forbidden`, `unavailable`, `bad_request`.
    let reason: String
    let response: HTTPResponse

    /// - Parameter challenges: of the verifiers, one each.
    static func missing(_ challenges: [String]) -> AccessRefusal {
        var distinct: [String] = []
        for challenge in challenges where !distinct.contains(challenge) { distinct.append(challenge) }
        return AccessRefusal(
            reason: "missing",
            response: problem(
                401, "Unauthorized", "The request has no credentials; send `Authorization: Bearer TOKEN`.", "auth.missing",
                [("WWW-Authenticate", distinct.joined(separator: ", "))]))
    }

    static func refused(_ challenge: String, code: String, _ reason: String) -> AccessRefusal {
        AccessRefusal(
            reason: "refused",
            response: problem(
                401, "Unauthorized", "The credentials do not hold: \(reason).", code,
                [("WWW-Authenticate", "\(challenge) error=\"invalid_token\", error_description=\"\(quotable(reason))\"")]))
    }

    static func forbidden(claim: String) -> AccessRefusal {
        AccessRefusal(
            reason: "forbidden",
            response: problem(
                403, "Forbidden", "The caller's claim `\(claim)` does not allow this request.", "auth.forbidden",
                [("WWW-Authenticate", "Bearer error=\"insufficient_scope\"")]))
    }

    static let crossSite = AccessRefusal(
        reason: "forbidden",
        response: problem(
            403, "Forbidden",
            "The credentials are a cookie and the page is of another origin; allow it in `host.cors.origins`, or send the token as a header.",
            "auth.cross_site"))

    static func unavailable(_ error: ModuleError) -> AccessRefusal {
        AccessRefusal(
            reason: "unavailable",
            response: problem(
                503, "Service Unavailable", "\(error.message); try again shortly.", error.code, [("Retry-After", "1")]))
    }

    static func badRequest(_ detail: String) -> AccessRefusal {
        AccessRefusal(reason: "bad_request", response: problem(400, "Bad Request", detail, "auth.bad_request"))
    }

    private static func problem(
        _ status: Int, _ title: String, _ detail: String, _ code: String, _ headers: [(name: String, value: String)] = []
    ) -> HTTPResponse {
        ProblemDetails(status: status, title: title, detail: detail, extensions: [("code", code)]).response(headers: headers)
    }

    /// What may stand in a quoted text of a header.
    private static func quotable(_ text: String) -> String {
        String(decoding: text.utf8.map { (0x20...0x7E).contains($0) && $0 != UInt8(ascii: "\"") && $0 != UInt8(ascii: "\\") ? $0 : UInt8(ascii: "?") }, as: UTF8.self)
    }
}
