package import Martlet

/// The keys `auth` and `require`, which sources, channels and queries share.
package struct AccessConfig: ModuleConfig {
    package let auth: OneOrMore?
    package let require: ConfigMap<ConfigText>

    package init(from fields: inout ConfigFields) {
        auth = fields.optional(
            "auth", "Who may send requests: a name from `auth`, or a list of names of which one must know the caller.",
            example: OneOrMore([ConfigText(stringLiteral: "users")]))
        require = fields.optional(
            "require", default: [:],
            "What the caller's claims must be, or contain if they are lists; templates over the request.",
            example: ["sub": "${@path.user}"])
        if auth == nil, !require.isEmpty {
            fields.problem(at: "require", with: ["auth"], "needs `auth`, which says who the caller is")
        }
    }
}

/// A text, or a list of texts.
package struct OneOrMore: ConfigValue {
    package let texts: [ConfigText]

    package init(_ texts: [ConfigText]) {
        self.texts = texts
    }

    /// Decodes a value or reports why not.
    package static func decode(_ input: ConfigInput) -> OneOrMore? {
        if case .array = input.node.kind {
            guard let texts = input.decode(as: [ConfigText].self) else { return nil }
            if texts.isEmpty {
                input.report("must name at least one", found: "[]")
                return nil
            }
            return OneOrMore(texts)
        }
        return input.text(expected: "a name or a list of names").map { OneOrMore([$0]) }
    }

    package static var placeholder: OneOrMore { OneOrMore([]) }
    package static func shape(_ context: ShapeContext) -> ConfigShape { .named("name or list of names", .any) }
    package var configNode: JSONNode? { texts.count == 1 ? texts[0].configNode : texts.configNode }
}
