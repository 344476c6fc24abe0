import Martlet

/// The files of a new plugin.
struct PluginScaffold {
    /// Paths from the top of the package.
    let files: [(path: String, text: String)]
    /// The line for `StandardModules.swift`.
    let registration: String

    /// The kinds that there is a template for. A log is too much for one: it has to keep promises that no small example does.
    static let kinds = ModuleKind.allCases.filter { $0 != .log }

    private static func template(_ kind: ModuleKind) -> PluginTemplate {
        switch kind {
        case .auth: .auth
        case .source: .source
        case .transform: .transform
        case .sink: .sink
        case .channel: .channel
        case .database: .database
        case .pubsub: .pubSub
        case .log: preconditionFailure("there is no template for a log")
        }
    }

    /// - Parameter kind: one of ``kinds``.
    init(_ name: PluginName, _ kind: ModuleKind) {
        let template = Self.template(kind)
        let typeName = name.typeName(kind)
        func filled(_ text: String) -> String {
            text.replacing("__NAME__" + PluginName.suffix(kind), with: typeName).replacing("__NAME__", with: name.text).replacing("__TYPE__", with: name.type)
        }
        files = [
            ("Plugins/\(name.text)/\(typeName).swift", filled(template.module)),
            ("Plugins/\(name.text)/README.md", filled(template.readme)),
            ("Tests/PluginTests/\(name.text)/\(typeName)Tests.swift", filled(template.tests)),
        ]
        registration = "try registry.register(\(kind.registrationLabel): \(typeName).self)"
    }

    /// The folders that belong to a plugin.
    static func folders(of name: PluginName) -> [String] {
        ["Plugins/\(name.text)", "Tests/PluginTests/\(name.text)"]
    }
}

extension ModuleKind {
    /// What stands before the type when a module of this kind is registered.
    var registrationLabel: String {
        switch self {
        case .pubsub: "pubSub"
        case .auth: "authenticator"
        default: rawValue
        }
    }
}

extension String {
    /// All occurrences of a text replaced by another.
    fileprivate func replacing(_ text: String, with replacement: String) -> String {
        split(separator: text, omittingEmptySubsequences: false).joined(separator: replacement)
    }
}
