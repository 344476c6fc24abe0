/// A JSON value that knows where it was written.
///
/// The text of a string node is *template source*: as written, with `${env:…}` and `${file:…}` already replaced and their
/// text escaped (see ``SubstitutionScanner``). Read it through ``plainText`` or ``ConfigText``, which resolve the escapes.
public struct JSONNode: Sendable {
    /// The types of JSON values.
    public enum Kind: Sendable {
        case null
        case bool(Bool)
        case number(JSONNumber)
        case string(String)
        case array([JSONNode])
        case object(JSONObject)
    }

    /// What is known of a string's origin beside its text.
    struct TextOrigin: Hashable, Sendable {
        /// Where the text and the file stop running side by side, after an escape or a substitution.
        struct Mark: Hashable, Sendable {
            /// UTF-8 offset in the node's text.
            var offset: Int
            /// The column of that place in the file.
            var column: Int
            /// The text from here to the next mark was put in for a substitution, which stands at the column as a whole.
            var isSubstituted = false
        }

        /// In rising order of offsets.
        var marks: [Mark] = []
        var isSecret = false
        /// The whole string was one `${env:…}` or `${file:…}`, so it may stand for a number or a boolean.
        var isWholeSubstitution = false
        /// A substitution in the string failed and was reported: whatever reads it fails without another report.
        var isBroken = false
    }

    /// The value.
    public var kind: Kind
    /// Where the value begins.
    public var position: SourcePosition
    var origin = TextOrigin()

    /// A value; without a position it counts as built in code.
    public init(_ kind: Kind, position: SourcePosition = .none) {
        self.kind = kind
        self.position = position
    }

    /// The text came from the environment or a secret file: no report may print it.
    public var isSecret: Bool { origin.isSecret }

    /// The text of a string with its escapes resolved; nil for other kinds.
    public var plainText: String? {
        if case .string(let source) = kind { SubstitutionScanner.plain(source) } else { nil }
    }

    /// The value of this key if the node is an object that has it.
    public subscript(key: String) -> JSONNode? {
        if case .object(let object) = kind { object[key] } else { nil }
    }

    /// The node with the escapes of all its strings resolved: for JSON that is passed on as it is, such as a `body_schema`.
    public var plain: JSONNode {
        var copy = self
        switch kind {
        case .string(let source):
            copy.kind = .string(SubstitutionScanner.plain(source))
        case .array(let items):
            copy.kind = .array(items.map(\.plain))
        case .object(let object):
            copy.kind = .object(
                JSONObject(
                    members: object.members.map {
                        JSONObject.Member(key: $0.key, keyPosition: $0.keyPosition, value: $0.value.plain)
                    }))
        case .null, .bool, .number:
            break
        }
        return copy
    }

    /// What a report prints as found: short, and never a secret.
    public var found: String {
        if isSecret { return "a hidden value" }
        return switch kind {
        case .null: "null"
        case .bool(let value): value ? "true" : "false"
        case .number(let number): clipped(number.text)
        case .string(let source): JSONWriter.quoted(clipped(source))
        case .array: "a list"
        case .object: "an object"
        }
    }
}
