import Martlet

/// Why a stream was not opened.
enum StreamRefusal: Error {
    case closed
    case full(Int)
    case tooFast(Int)
    case keyFull(Int)
    case userFull(Int)
    case addressFull(Int)
    /// The caller may not read this.
    case notAllowed(claim: String, recipient: String)
    case tooManyRecipients(Int)
    case notAcceptable
    /// The request lacks what `match.connection` needs.
    case unmatched(String)

    /// Whether the host may take the same request a little later, so that a client that knows no more than to try again
    /// should.
    var passes: Bool {
        switch self {
        case .closed, .full, .tooFast: true
        case .keyFull, .userFull, .addressFull, .notAllowed, .tooManyRecipients, .notAcceptable, .unmatched: false
        }
    }

    var response: HTTPResponse {
        switch self {
        case .closed:
            problem(503, "The channel is closed", "The host starts or stops; try again.", "sse.closed", retryAfter: 1...3)
        case .full(let limit):
            problem(
                503, "Too many streams", "This host holds \(limit) streams of the channel, its limit; try again.",
                "sse.too_many_streams", retryAfter: 5...15)
        case .tooFast(let limit):
            problem(
                503, "Too many new streams", "This host lets \(limit) new streams of the channel in a second; try again.",
                "sse.too_many_new_streams", retryAfter: 1...5)
        case .keyFull(let limit):
            problem(
                429, "Too many streams", "\(limit) streams are open for the same recipient, the limit; close others first.",
                "sse.too_many_streams_of_key", retryAfter: 5...15)
        case .userFull(let limit):
            problem(
                429, "Too many streams", "The caller has \(limit) streams open, the limit; close others first.",
                "sse.too_many_streams_of_user", retryAfter: 5...15)
        case .addressFull(let limit):
            problem(
                429, "Too many streams", "\(limit) streams are open from the client's address, the limit; close others first.",
                "sse.too_many_streams_of_address", retryAfter: 5...15)
        case .notAllowed(let claim, let recipient):
            problem(
                403, "Forbidden", "The caller's claim `\(claim)` does not have \(JSONText.quoted(recipient)).", "sse.not_allowed")
        case .tooManyRecipients(let limit):
            problem(400, "Bad Request", "A stream is for at most \(limit) recipients.", "sse.too_many_recipients")
        case .notAcceptable:
            problem(
                406, "Not Acceptable", "The stream is text/event-stream, which the Accept header does not allow.",
                "sse.not_acceptable")
        case .unmatched(let message):
            problem(400, "Bad Request", message, "sse.no_recipient")
        }
    }

    private func problem(
        _ status: Int, _ title: String, _ detail: String, _ code: String, retryAfter: ClosedRange<Int>? = nil
    ) -> HTTPResponse {
        // Not all at the same time again.
        ProblemDetails(status: status, title: title, detail: detail, extensions: [("code", code)])
            .response(headers: retryAfter.map { [("Retry-After", String(Int.random(in: $0)))] } ?? [])
    }
}
