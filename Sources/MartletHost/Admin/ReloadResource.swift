import Martlet
import Pipelines

/// `POST /v1/reload`: what SIGHUP does, with the problems in the answer.
struct ReloadResource: Sendable {
    let operations: HostOperations

    func answer() async throws -> HTTPResponse {
        let problems: ConfigProblems
        do throws(HostError) {
            problems = try await operations.reload()
        } catch {
            throw AdminProblem(409, "Conflict", error.description)
        }
        guard problems.isEmpty else {
            var problem = AdminProblem(
                422, "Unprocessable Content",
                "the config has \(problems.count) problem\(problems.count == 1 ? "" : "s"); the running one stays")
            problem.extensions = [("problems", .array(problems.sorted.map(\.json))), ("text", .string(problems.text))]
            throw problem
        }
        return .json(["reloaded": true])
    }
}
