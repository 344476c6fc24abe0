/// A named verifier of callers, an entry of `auth`: sources, channels and queries refer to it.
///
/// It reads what a request carries (a token, a key, a cookie) and says who sent it. What the caller may do with that is
/// the platform's `require`, and the module's own rules.
public protocol Authenticator: Module {
    /// What a client without credentials is told in `WWW-Authenticate`: `Bearer`.
    var challenge: String { get }

    /// Reads the keys. A file that cannot be read is tried again; meanwhile requests get 503.
    func open() async throws

    /// Verifies a request. Called on the connection's event loop, from several loops at once: it must not block.
    func authenticate(_ exchange: any HTTPExchange) throws(AuthenticationFailure) -> Caller

    /// Reads the keys again, at a reload of the config. What cannot be read leaves those that are there in force.
    func reload() async

    func close() async
}

extension Authenticator {
    /// Nothing to read again.
    public func reload() async {}
}

/// Why a request has no caller.
public enum AuthenticationFailure: Error, Sendable {
    /// It carries nothing that the verifier reads; another one may find something.
    case missing
    /// It carries something that does not hold. The reason goes to the client: no secrets, and nothing that helps to guess.
    case refused(code: String, reason: String)
    /// The verifier has no keys now.
    case unavailable(ModuleError)
}
