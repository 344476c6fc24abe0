import Martlet
import Pipelines

/// Why a request of the admin API is refused.
struct AdminProblem: Error, Sendable {
    let status: Int
    let title: String
    let detail: String
    /// Members beside the standard ones.
    var extensions: [(name: String, value: JSONNode)] = []

    init(_ status: Int, _ title: String, _ detail: String) {
        self.status = status
        self.title = title
        self.detail = detail
    }

    static func badRequest(_ detail: String) -> AdminProblem { AdminProblem(400, "Bad Request", detail) }

    /// A name that nothing answers to, with the nearest one and all there are.
    static func unknown(_ what: String, _ name: String, among names: [String], title: String? = nil) -> AdminProblem {
        let guess = Suggestion.question(for: name, among: names)
        let list = names.isEmpty ? "there are none" : "\(title ?? what + "s"): " + names.prefix(20).joined(separator: ", ")
        return AdminProblem(404, "Not Found", "no \(what) `\(name)`\(guess) (\(list)\(names.count > 20 ? ", …" : ""))")
    }

    /// Any error of the platform as an answer.
    init(_ error: any Error) {
        switch error {
        case let problem as AdminProblem:
            self = problem
        case let refusal as GroupResetRefusal:
            if case .noSuchPartition = refusal {
                self.init(404, "Not Found", refusal.description)
            } else {
                self.init(409, "Conflict", refusal.description)
            }
        case let failure as ModuleError:
            switch failure.kind {
            case .transient: self.init(503, "Service Unavailable", failure.message)
            case .permanent: self.init(422, "Unprocessable Content", failure.message)
            case .blocked: self.init(500, "Internal Server Error", failure.message)
            }
            extensions = [("code", .string(failure.code))]
        default:
            self.init(500, "Internal Server Error", "\(error)")
        }
    }

    /// The answer: `application/problem+json` (RFC 9457).
    var response: HTTPResponse {
        var members: [(String, JSONNode)] = [
            ("type", "about:blank"), ("title", .string(title)), ("status", .integer(Int64(status))),
            ("detail", .string(detail)),
        ]
        members += extensions.map { ($0.name, $0.value) }
        var headers: [(name: String, value: String)] = [("Content-Type", "application/problem+json")]
        if status == 503 { headers.append(("Retry-After", "1")) }
        return HTTPResponse(status: status, headers: headers, body: Bytes(JSONWriter.text(.object(members)) + "\n"))
    }
}
