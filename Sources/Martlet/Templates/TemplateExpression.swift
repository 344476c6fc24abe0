/// What stands inside one `${…}`.
public enum TemplateExpression: Hashable, Sendable, CustomStringConvertible {
    /// `${/actor}`: a place in the payload.
    case pointer(JSONPointer)
    /// `${@id}`, `${@header.NAME}` and the like.
    case variable(TemplateVariable)

    /// `${@payload}`: the whole payload.
    public static let wholePayload = TemplateExpression.pointer(.wholeDocument)

    /// As it is written between the braces.
    public var description: String {
        switch self {
        case .pointer(let pointer): pointer.text.isEmpty ? "@payload" : pointer.text
        case .variable(let variable): variable.description
        }
    }
}

extension JSONPointer {
    static let wholeDocument: JSONPointer = {
        guard let pointer = JSONPointer("") else { preconditionFailure("the empty text is a pointer (RFC 6901)") }
        return pointer
    }()
}

/// A value that a template takes from beside the payload.
public enum TemplateVariable: Hashable, Sendable, CustomStringConvertible {
    case id, key, topic, partition, offset, timestamp
    case header(String)
    case path(String)
    case query(String)
    case claim(String)
    case saved(String)

    /// The group of variables that it belongs to.
    public var kind: TemplateVariableKind {
        switch self {
        case .id, .key, .topic, .partition, .offset, .timestamp: .record
        case .header: .header
        case .path: .path
        case .query: .query
        case .claim: .claim
        case .saved: .saved
        }
    }

    /// As it is written: `@id`, `@header.trace`.
    public var description: String {
        switch self {
        case .id: "@id"
        case .key: "@key"
        case .topic: "@topic"
        case .partition: "@partition"
        case .offset: "@offset"
        case .timestamp: "@timestamp"
        case .header(let name): "@header.\(name)"
        case .path(let name): "@path.\(name)"
        case .query(let name): "@query.\(name)"
        case .claim(let name): "@claim.\(name)"
        case .saved(let name): "@saved.\(name)"
        }
    }
}
