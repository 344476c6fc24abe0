package import Martlet

/// Keeps one verifier of callers open.
package final class AuthRunner: Sendable {
    package let name: String
    package let authenticator: any Authenticator
    package var readiness: Readiness { opening.readiness }

    private let opening: PartOpening

    package init(name: String, authenticator: any Authenticator, logger: Logger) {
        self.name = name
        self.authenticator = authenticator
        opening = PartOpening(logger: logger.with("auth", name))
    }

    /// Starts to open; returns at once.
    package func start() {
        opening.start("auth \(name)") { [authenticator] in try await authenticator.open() }
    }

    package func stop() async {
        await opening.stop { await authenticator.close() }
    }

    /// Who sent a request; named after this entry of `auth`.
    func authenticate(_ exchange: any HTTPExchange) throws(AuthenticationFailure) -> Caller {
        guard readiness.isReady else {
            throw .unavailable(.transient("auth.not_open", "the verifier \(name) has no keys yet"))
        }
        var caller = try authenticator.authenticate(exchange)
        caller.verifier = name
        return caller
    }
}
