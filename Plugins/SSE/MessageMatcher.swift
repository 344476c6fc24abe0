import Martlet

/// Finds the text by which connections match a message.
struct MessageMatcher: Sendable {
    private enum Rule {
        case everything
        /// `${@key}`: no template is evaluated.
        case key
        case template(TemplateSet)
    }

    private let rule: Rule
    private let payloads: any PayloadReader

    /// - Parameter template: nil if every connection gets every message.
    init(_ template: Template?, payloads: any PayloadReader) {
        self.payloads = payloads
        switch template {
        case nil: rule = .everything
        case .some(let template) where template.whole == .variable(.key): rule = .key
        case .some(let template): rule = .template(TemplateSet([template]))
        }
    }

    var matchesEverything: Bool {
        if case .everything = rule { true } else { false }
    }

    /// Whether the log can be reread for one connection, which it can by key only.
    var canReplay: Bool {
        if case .template = rule { false } else { true }
    }

    /// Nil if the message has no such text, and so matches no connection.
    func key(of message: Message) -> Bytes? {
        switch rule {
        case .everything: return .empty
        case .key: return message.record.event.key
        case .template(let templates):
            let values = try? templates.evaluate(TemplateInput(message.record), with: payloads)
            return values?.first?.keyBytes
        }
    }
}
