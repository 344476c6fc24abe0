import Martlet

/// Who may send requests to one part of the config: its `auth` and `require`, compiled.
struct AccessPlan: Sendable {
    /// Tried in their order; the first that knows the caller is enough.
    let verifiers: [AuthRunner]
    let requirements: AccessRequirements
    let tickets: Tickets
    let ticketLifetime: Duration

    /// - Parameter takesTicket: whether the route takes one instead of credentials.
    func admit(_ exchange: any HTTPExchange, takesTicket: Bool) throws(AccessRefusal) -> Caller {
        let caller: Caller
        if takesTicket, let ticket = exchange.queryParameter("ticket") {
            caller = try tickets.redeem(ticket, path: exchange.path, verifiers: verifiers.map(\.name))
        } else {
            caller = try verify(exchange)
        }
        try requirements.check(caller, exchange)
        return caller
    }

    private func verify(_ exchange: any HTTPExchange) throws(AccessRefusal) -> Caller {
        var failure: AccessRefusal?
        for verifier in verifiers {
            do throws(AuthenticationFailure) {
                return try verifier.authenticate(exchange)
            } catch {
                switch error {
                case .missing: break
                // Keys that are not there yet say nothing about the caller: that goes first.
                case .unavailable(let error): failure = .unavailable(error)
                case .refused(let code, let reason):
                    if failure == nil { failure = .refused(verifier.authenticator.challenge, code: code, reason) }
                }
            }
        }
        throw failure ?? .missing(verifiers.map(\.authenticator.challenge))
    }
}

/// What a part's `require` asks of callers.
struct AccessRequirements: Sendable {
    static let none = AccessRequirements(claims: [], texts: TemplateSet([]), payloads: nil)

    let claims: [String]
    /// For each claim, what it must be.
    let texts: TemplateSet
    /// Nil if there is nothing to evaluate.
    let payloads: (any PayloadReader)?

    func check(_ caller: Caller, _ exchange: any HTTPExchange) throws(AccessRefusal) {
        guard let payloads, !claims.isEmpty else { return }
        let values: [DataValue]
        do throws(ModuleError) {
            values = try texts.evaluate(TemplateInput(variables: ExchangeVariables(exchange)), with: payloads)
        } catch {
            throw .badRequest(error.message)
        }
        for (claim, value) in zip(claims, values) where !caller.holds(claim, value.rendered) { throw .forbidden(claim: claim) }
    }
}

extension HTTPExchange {
    /// The target without its query, as it was sent.
    var path: String { String(target.prefix { $0 != "?" }) }
}
