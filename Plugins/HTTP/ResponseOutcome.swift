import Martlet

/// What an answer's status says about trying again.
enum ResponseOutcome {
    /// Nil for 2xx.
    static func error(_ response: OutgoingResponse, host: String) -> ModuleError? {
        let status = response.status
        let text = "\(host) answered \(status)"
        switch status {
        case 200..<300:
            return nil
        case 408, 425, 429, 500..<600:
            let wait = response.header("retry-after").flatMap { Int($0) }.map { Duration.seconds(max(0, min($0, 3600))) }
            return .transient("http.status_\(status)", text, retryAfter: wait)
        case 401, 403, 404, 405, 407:
            return .blocked("http.status_\(status)", text + "; see to the URL, the method and the credentials")
        case 300..<400:
            return .blocked("http.status_\(status)", text + ", a redirect, which is not followed; name the URL that it leads to")
        default:
            return .permanent("http.status_\(status)", text)
        }
    }
}
