import Martlet

/// Why a request of the admin API is refused.
struct AdminRefusal: Error {
    let details: ProblemDetails

    init(_ status: Int, _ title: String, _ detail: String, code: String? = nil) {
        details = ProblemDetails(status: status, title: title, detail: detail, extensions: code.map { [("code", $0)] } ?? [])
    }

    static func badRequest(_ detail: String) -> AdminRefusal { AdminRefusal(400, "Bad Request", detail) }

    static func unknownEndpoint(_ name: String, channel: String) -> AdminRefusal {
        AdminRefusal(404, "Not Found", "the channel `\(channel)` has no endpoint `\(name)`")
    }

    static func ofConfig(_ name: String) -> AdminRefusal {
        AdminRefusal(
            409, "Conflict", "the endpoint `\(name)` stands in the config: change it there and reload", code: "webhook.endpoint_of_config")
    }

    init(_ error: any Error) {
        switch error {
        case let refusal as AdminRefusal: self = refusal
        case let failure as ModuleError:
            switch failure.kind {
            case .transient: self.init(503, "Service Unavailable", failure.message, code: failure.code)
            case .permanent: self.init(422, "Unprocessable Content", failure.message, code: failure.code)
            case .blocked: self.init(500, "Internal Server Error", failure.message, code: failure.code)
            }
        default: self.init(500, "Internal Server Error", "\(error)")
        }
    }
}
