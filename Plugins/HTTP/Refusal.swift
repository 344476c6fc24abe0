import Martlet

/// Why a request, or one event of a batch, was not taken.
struct Refusal: Error, Sendable {
    let status: Int
    let title: String
    let detail: String
    /// A stable code to search for.
    let code: String
    /// When trying again may help, in seconds.
    var retryAfter: Int?

    var response: HTTPResponse {
        let headers = retryAfter.map { [(name: "Retry-After", value: String($0))] } ?? []
        return ProblemDetails(status: status, title: title, detail: detail, extensions: [("code", code)])
            .response(headers: headers)
    }
}

extension Refusal {
    static let closed = Refusal(
        status: 503, title: "The source is closed", detail: "The host starts or stops; try again.",
        code: "http.source_closed", retryAfter: 1)

    static let conflict = Refusal(
        status: 422, title: "The idempotency key was used for another body",
        detail: "A request with this Idempotency-Key and another body was taken before; use a new key for a new event.",
        code: "http.idempotency_conflict")

    static func unsupported(_ contentType: String?) -> Refusal {
        let found = contentType.map { "found \(JSONText.quoted($0))" } ?? "the request has none"
        return Refusal(
            status: 415, title: "The Content-Type is not supported",
            detail: "Expected Content-Type application/json, or application/x-ndjson for one event a line; \(found).",
            code: "http.unsupported_media_type")
    }

    static func malformed(_ error: PayloadError) -> Refusal {
        Refusal(status: 400, title: "The body is not valid JSON", detail: error.message, code: "http.malformed_body")
    }

    static func invalid(_ problems: [String]) -> Refusal {
        Refusal(
            status: 422, title: "The body does not match the schema", detail: problems.joined(separator: "; "),
            code: "http.schema_mismatch")
    }

    static func tooManyEvents(limit: Int) -> Refusal {
        Refusal(
            status: 413, title: "The batch has too many events",
            detail: "At most \(limit) events may come in one body, and none of these was taken; send several batches.",
            code: "http.batch_too_large")
    }

    /// Nil if the input was taken.
    init?(_ outcome: IntakeOutcome) {
        switch outcome {
        case .saved, .unchanged, .published, .sent, .filtered:
            return nil
        case .conflict:
            self = .conflict
        case .rejected(let error):
            self.init(status: 422, title: "The event was refused", detail: error.message, code: error.code)
        case .unavailable(let error, let wait):
            let seconds = max(1, Int((wait / .milliseconds(1)).rounded(.up) / 1000 + 0.999))
            self.init(
                status: 503, title: "The event cannot be taken now", detail: error.message, code: error.code,
                retryAfter: seconds)
        }
    }
}
