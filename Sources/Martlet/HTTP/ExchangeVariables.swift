/// The template variables of an HTTP request: `${@path.NAME}`, `${@query.NAME}`, `${@header.NAME}`, and `${@claim.NAME}`
/// where it has a caller.
public struct ExchangeVariables: TemplateVariables {
    private let exchange: any HTTPExchange

    /// The groups of variables that every request offers; see ``RequestAccess/variables`` for those of a module's.
    public static let kinds: Set<TemplateVariableKind> = [.path, .query, .header]

    public init(_ exchange: any HTTPExchange) {
        self.exchange = exchange
    }

    /// The variable as the request has it; see ``TemplateVariables``.
    public func value(of kind: TemplateVariableKind, _ name: String) -> String? {
        switch kind {
        case .path: exchange.pathParameter(name)
        case .query: exchange.queryParameter(name)
        case .header: exchange.header(name)
        case .claim: exchange.caller?.claim(name)
        case .record, .saved: nil
        }
    }
}
