import Martlet

/// Why a stream was not opened.
enum StreamRefusal: Error {
    case closed
    case full(Int)
    case keyFull(Int)
    case notAcceptable
    /// The request lacks what `match.connection` needs.
    case unmatched(String)

    var response: HTTPResponse {
        switch self {
        case .closed:
            problem(503, "The channel is closed", "The host starts or stops; try again.", "sse.closed", retryAfter: 1)
        case .full(let limit):
            problem(
                503, "Too many streams", "This host holds \(limit) streams of the channel, its limit; try again.",
                "sse.too_many_streams", retryAfter: 5)
        case .keyFull(let limit):
            problem(
                429, "Too many streams", "\(limit) streams are open for the same recipient, the limit; close others first.",
                "sse.too_many_streams_of_key", retryAfter: 5)
        case .notAcceptable:
            problem(
                406, "Not Acceptable", "The stream is text/event-stream, which the Accept header does not allow.",
                "sse.not_acceptable")
        case .unmatched(let message):
            problem(400, "Bad Request", message, "sse.no_recipient")
        }
    }

    private func problem(
        _ status: Int, _ title: String, _ detail: String, _ code: String, retryAfter: Int? = nil
    ) -> HTTPResponse {
        ProblemDetails(status: status, title: title, detail: detail, extensions: [("code", code)])
            .response(headers: retryAfter.map { [("Retry-After", String($0))] } ?? [])
    }
}
