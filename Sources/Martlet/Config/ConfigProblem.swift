/// One thing that is wrong with a config, said so that the reader can mend it without looking anything up.
public struct ConfigProblem: Sendable, Hashable, CustomStringConvertible {
    /// A stable name such as `config.unknown_key`, for operators and tools to search for.
    public struct Code: RawRepresentable, Hashable, Sendable, ExpressibleByStringLiteral {
        /// The code as it is printed.
        public let rawValue: String

        /// A code; modules choose their own, such as `sql.unknown_parameter`.
        public init(rawValue: String) {
            self.rawValue = rawValue
        }

        /// A problem; ``ConfigProblems`` has shorter ways to report one.
        public init(stringLiteral value: String) {
            rawValue = value
        }
    }

    /// The values that would be right, under a title such as `valid keys`.
    public struct Choices: Sendable, Hashable {
        /// What the values are: `valid keys`.
        public var title: String
        /// The values, ready to print.
        public var values: [String]

        /// Choices under a title.
        public init(_ title: String, _ values: [String]) {
            self.title = title
            self.values = values
        }
    }

    /// What kind of problem it is.
    public var code: Code
    /// The config file's path as the user gave it.
    public var file: String
    /// Where it is.
    public var position: SourcePosition
    /// The way to the value, or to the object where a key is missing.
    public var path: ConfigPath
    /// The rule that was broken: "must be an integer".
    public var message: String
    /// The value that was found, ready to print; never a secret.
    public var found: String?
    /// What the writer probably meant, ready to print (a key or a quoted value).
    public var suggestion: String?
    /// What would be right.
    public var choices: Choices?
    /// What to do about it, one sentence or a sample.
    public var hint: String?

    /// A problem; ``ConfigProblems`` has shorter ways to report one.
    public init(
        code: Code, file: String, position: SourcePosition, path: ConfigPath, message: String,
        found: String? = nil, suggestion: String? = nil, choices: Choices? = nil, hint: String? = nil
    ) {
        self.code = code
        self.file = file
        self.position = position
        self.path = path
        self.message = message
        self.found = found
        self.suggestion = suggestion
        self.choices = choices
        self.hint = hint
    }

    /// `config.json:12:7`, or the option that the value came from.
    public var location: String {
        if let option = position.option { return option }
        return position.line > 0 ? "\(file):\(position.line):\(position.column)" : file
    }

    /// One line that says everything, then indented lines with the choices and the hint.
    public var description: String {
        var text = "\(location): "
        if !path.components.isEmpty { text += "\(path): " }
        text += message
        if let found { text += ", found \(found)" }
        if let suggestion { text += "; did you mean \(suggestion)?" }
        if let choices {
            text += "\n  \(choices.title): \(choices.values.isEmpty ? "none" : choices.values.joined(separator: ", "))"
        }
        if let hint { text += "\n  \(hint)" }
        return text
    }

    /// The problem as JSON for `--json`; keys that do not apply are left out.
    public var json: JSONNode {
        var members: [(String, JSONNode)] = [("code", .string(code.rawValue)), ("file", .string(file))]
        if let option = position.option {
            members.append(("option", .string(option)))
        } else if position.line > 0 {
            members.append(("line", .integer(Int64(position.line))))
            members.append(("column", .integer(Int64(position.column))))
        }
        members.append(("path", .string(path.description)))
        members.append(("pointer", .string(path.pointer)))
        members.append(("message", .string(message)))
        if let found { members.append(("found", .string(found))) }
        if let suggestion { members.append(("suggestion", .string(suggestion))) }
        if let choices { members.append(("choices", .array(choices.values.map { .string($0) }))) }
        if let hint { members.append(("hint", .string(hint))) }
        return .object(members)
    }
}

extension ConfigProblem.Code {
    /// The file is not JSON.
    public static let syntax: Self = "config.syntax"
    /// The file, a string taken from a file, or the nesting is past its limit.
    public static let tooLarge: Self = "config.too_large"
    /// The same key twice in one object.
    public static let duplicateKey: Self = "config.duplicate_key"
    /// A key that nothing reads.
    public static let unknownKey: Self = "config.unknown_key"
    /// A required key is not there.
    public static let missingKey: Self = "config.missing_key"
    /// A value of another JSON type than the field's.
    public static let wrongType: Self = "config.wrong_type"
    /// A number outside the field's range.
    public static let outOfRange: Self = "config.out_of_range"
    /// A word that is none of the field's choices.
    public static let unknownValue: Self = "config.unknown_value"
    /// A `${…}` in a field that takes plain text.
    public static let unexpectedTemplate: Self = "config.unexpected_template"
    /// `${env:…}` or `${file:…}` that is malformed or nested where it cannot be.
    public static let badSubstitution: Self = "config.bad_substitution"
    /// `${env:NAME}` of a variable that is not set.
    public static let missingEnvironment: Self = "config.missing_environment"
    /// The config, or a file that `${file:…}` names, cannot be read.
    public static let unreadableFile: Self = "config.unreadable_file"
    /// A `--set` that is malformed or leads nowhere.
    public static let badOverride: Self = "config.bad_override"
    /// A `type` that no registered module has.
    public static let unknownModule: Self = "config.unknown_module"
    /// A name that refers to nothing: a topic, group or database that the config does not have.
    public static let unknownReference: Self = "config.unknown_reference"
    /// A rule of one module, usually between fields.
    public static let invalid: Self = "config.invalid"
    /// A statement that the database does not understand.
    public static let badSQL: Self = "config.bad_sql"
    /// A template for a parameter that the statement does not have.
    public static let unknownParameter: Self = "config.unknown_parameter"
    /// A parameter of a statement that has no template.
    public static let unboundParameter: Self = "config.unbound_parameter"

    /// Problems that may come of another field's value.
    static let betweenFields: Set<Self> = [.invalid, .unknownParameter, .unboundParameter]
}
