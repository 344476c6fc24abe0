import Martlet

/// What the answers of the log's host mean.
enum RemoteLogFailure {
    /// The error of an answer that is no success.
    static func error(_ response: ClientResponse, asking url: String) -> ModuleError {
        let problem = problem(response)
        if let problem, let code = problem["code"]?.plainText, let kind = problem["kind"]?.plainText.flatMap(ModuleError.Kind.init) {
            return ModuleError(
                kind, code: code, "\(problem["detail"]?.plainText ?? "no detail") (the log's host, \(url))",
                retryAfter: response.header("retry-after").flatMap { Int($0) }.map { .seconds($0) })
        }
        switch response.status {
        case 401, 403:
            return .blocked(
                "log.remote_unauthorized",
                "\(url) answers \(response.status): it refuses this host's token; `log.token` must be the `host.admin_token` of the log's host")
        case 404, 405:
            return .blocked(
                "log.remote_not_found",
                "\(url) answers \(response.status): `log.url` must be the `host.admin_listen` address of the host that has the log")
        case 413:
            return .permanent("log.record_too_large", "\(url) answers 413: the event is larger than the log's host takes")
        case 400..<500 where response.status != 408 && response.status != 429:
            return .blocked("log.remote_refused", "\(url) answers \(response.status): \(problem?["detail"]?.plainText ?? "no detail")")
        default:
            return .transient("log.remote_failed", "\(url) answers \(response.status): \(problem?["detail"]?.plainText ?? "no detail")")
        }
    }

    /// An answer whose body is not what was asked for.
    static func malformed(_ url: String, _ reason: String) -> ModuleError {
        .transient("log.remote_malformed", "\(url) gave an answer that this host cannot read: \(reason); do both hosts run the same version?")
    }

    /// Whether the log may have done what was asked for, although this was the answer.
    static func isUncertain(_ error: any Error) -> Bool {
        guard let error = error as? ModuleError else { return true }
        return ["log.remote_away", "log.remote_failed", "log.remote_malformed", "log.failed"].contains(error.code)
    }

    /// A request that got no answer.
    static func away(_ error: ModuleError) -> ModuleError {
        guard error.kind == .transient else { return error }
        return .transient(
            "log.remote_away", "the log's host does not answer: \(error.message); does it run, and is `log.url` its `host.admin_listen`?")
    }

    /// The range that a 416 tells.
    static func outOfRange(_ response: ClientResponse, _ offset: Offset) -> OffsetOutOfRange? {
        guard response.status == 416, let start = response.header(LogWire.startHeader).flatMap({ Offset($0) }),
            let end = response.header(LogWire.endHeader).flatMap({ Offset($0) }), start <= end
        else { return nil }
        return OffsetOutOfRange(offset: offset, available: start..<end)
    }

    private static func problem(_ response: ClientResponse) -> JSONNode? {
        guard response.header("content-type")?.hasPrefix("application/problem+json") == true else { return nil }
        return JSONReader.read(response.body.string, problems: ConfigProblems(file: "answer"))
    }
}
