import Martlet

extension HTTPExchange {
    /// Answers from a task of its own, so that the connection's loop goes on.
    func answer(_ body: @escaping @Sendable () async throws -> HTTPResponse) {
        Task {
            do {
                respond(try await body())
            } catch {
                respond(AdminProblem(error).response)
            }
        }
    }

    /// A whole number among the query parameters.
    func queryInteger(_ name: String, default fallback: Int, in range: ClosedRange<Int>) throws(AdminProblem) -> Int {
        guard let text = queryParameter(name) else { return fallback }
        guard let number = Int(text), range.contains(number) else {
            throw .badRequest("`\(name)` must be a number from \(range.lowerBound) to \(range.upperBound), found `\(text)`")
        }
        return number
    }

    /// `true` or `false` among the query parameters; the name alone is true.
    func queryFlag(_ name: String) throws(AdminProblem) -> Bool {
        switch queryParameter(name) {
        case nil, "false": return false
        case "", "true": return true
        case let text?: throw .badRequest("`\(name)` must be true or false, found `\(text)`")
        }
    }

    /// The body as a JSON object; an empty body is an empty object.
    func bodyObject() throws(AdminProblem) -> JSONObject {
        try bodyObject(orThrow: AdminProblem.badRequest)
    }
}
