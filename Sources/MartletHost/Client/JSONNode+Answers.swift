import Martlet

/// Reading a host's answers, where a member that is missing is shown as `-`.
extension JSONNode {
    /// The items of a list; none for other kinds.
    var items: [JSONNode] {
        if case .array(let items) = kind { items } else { [] }
    }

    /// A member as a person reads it: a string without its quotes, `-` for null or nothing.
    func text(_ key: String) -> String {
        guard let node = self[key] else { return "-" }
        return switch node.kind {
        case .null: "-"
        case .string(let text): text
        default: JSONWriter.text(node)
        }
    }
}
