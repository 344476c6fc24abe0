import Martlet

/// Finds whom a request wants messages for: the block `match`, seen from the connection.
struct Recipients: Sendable {
    private let template: TemplateSet
    private let claim: String?
    private let countMax: Int
    private let payloads: any PayloadReader

    init(_ template: Template, claim: String?, countMax: Int, payloads: any PayloadReader) {
        self.template = TemplateSet([template])
        self.claim = claim
        self.countMax = countMax
        self.payloads = payloads
    }

    /// One or several keys, each once, all of which the caller may read.
    func keys(of exchange: any HTTPExchange) throws(StreamRefusal) -> [Bytes] {
        let names: [String]
        do throws(ModuleError) {
            let values = try template.evaluate(TemplateInput(variables: ExchangeVariables(exchange)), with: payloads)
            names = split(values.first?.rendered ?? "")
        } catch {
            throw .unmatched(error.message)
        }
        guard !names.isEmpty else { throw .unmatched("the request has no value for `match.connection`") }
        guard names.count <= countMax else { throw .tooManyRecipients(countMax) }
        if let claim, let caller = exchange.caller, let wrong = names.first(where: { !caller.holds(claim, $0) }) {
            throw .notAllowed(claim: claim, recipient: wrong)
        }
        return names.map { Bytes($0) }
    }

    /// `a,b`, or a claim that is a list; a connection with one recipient takes the text as it is.
    private func split(_ text: String) -> [String] {
        guard countMax > 1 else { return text.isEmpty ? [] : [text] }
        var names: [String] = []
        for name in listed(text) ?? text.split(separator: ",").map(String.init) {
            // By their bytes, as messages match.
            if name.isEmpty || names.contains(where: { $0.utf8.elementsEqual(name.utf8) }) { continue }
            names.append(name)
            if names.count > countMax { break }
        }
        return names
    }

    private func listed(_ text: String) -> [String]? {
        guard text.hasPrefix("["), case .array(let items)? = JSONReader.read(text, problems: ConfigProblems(file: ""))?.kind else { return nil }
        return items.compactMap { if case .string(let name) = $0.kind { name } else { nil } }
    }
}
