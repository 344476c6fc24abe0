/// What the config says of who may send requests to a module's routes; the platform sees to it before the module does.
public struct RequestAccess: Sendable {
    /// There is `auth`: each request has a ``HTTPExchange/caller``, and templates may read `${@claim.NAME}`.
    public let isAuthenticated: Bool
    /// There is a `require` that says something of the caller.
    public let hasRequirements: Bool

    public init(isAuthenticated: Bool, hasRequirements: Bool) {
        self.isAuthenticated = isAuthenticated
        self.hasRequirements = hasRequirements
    }

    /// Anyone may.
    public static let anonymous = RequestAccess(isAuthenticated: false, hasRequirements: false)

    /// The variables that templates over a request may use.
    public var variables: Set<TemplateVariableKind> {
        isAuthenticated ? ExchangeVariables.kinds.union([.claim]) : ExchangeVariables.kinds
    }
}
