import Martlet

/// What came of sending a delivery.
struct Answer: Sendable {
    /// What it means for the endpoint.
    enum Meaning: Sendable {
        /// 2xx.
        case delivered
        /// 410: the endpoint is gone for good.
        case gone
        /// 429, 502, 503, 504, or no answer in time: it has too much to do.
        case overloaded
        case failed
    }

    let meaning: Meaning
    let status: Int?
    /// Why it did not count; nil if it did.
    let error: String?
    /// The first bytes of the body.
    let body: Bytes
    /// What the endpoint asked for, in milliseconds.
    let retryAfter: Int64?

    /// - Parameters:
    ///   - url: may hold a secret, so that it is left out of what is kept.
    ///   - now: milliseconds since the epoch.
    init(_ result: Result<OutgoingResponse, ModuleError>, from url: String, now: Int64) {
        switch result {
        case .success(let response):
            status = response.status
            body = response.body
            retryAfter = response.header("retry-after").flatMap { RetryAfter.milliseconds($0, now: now) }
            switch response.status {
            case 200..<300: (meaning, error) = (.delivered, nil)
            case 410: (meaning, error) = (.gone, "the endpoint answers 410: it is gone")
            case 429, 502, 503, 504: (meaning, error) = (.overloaded, "the endpoint answers \(response.status)")
            case 300..<400: (meaning, error) = (.failed, "the endpoint answers \(response.status), a redirect, which is not followed")
            default: (meaning, error) = (.failed, "the endpoint answers \(response.status)")
            }
        case .failure(let failure):
            status = nil
            body = .empty
            retryAfter = nil
            meaning = failure.code == "http.timeout" ? .overloaded : .failed
            let text = failure.description
            error = url.isEmpty ? text : text.replacing(url, with: "the endpoint")
        }
    }
}
