import Martlet

/// What templates read of a request, looked up when one does.
struct RequestVariables: TemplateVariables {
    let exchange: any HTTPExchange

    func value(of kind: TemplateVariableKind, _ name: String) -> String? {
        switch kind {
        case .path: exchange.pathParameter(name)
        case .query: exchange.queryParameter(name)
        case .header: exchange.header(name)
        case .record, .claim, .saved: nil
        }
    }
}
