import TestSupport

extension HostProcess {
    /// Runs a command of `martlet` against this host.
    func run(_ arguments: String..., input: String? = nil, environment: [String: String] = [:]) async throws -> CommandRun {
        try await CommandRun(arguments + ["--admin", adminAddress], in: folder, input: input, environment: environment)
    }

    /// A request to the admin listener.
    func request(
        _ method: String, _ path: String, type: String? = nil, body: String? = nil, token: String? = nil
    ) async throws -> HTTPAnswer {
        let headers = (type.map { ["Content-Type: \($0)"] } ?? []) + (token.map { ["Authorization: Bearer \($0)"] } ?? [])
        return try await send(method, path, to: adminAddress, headers: headers, body: body)
    }
}
