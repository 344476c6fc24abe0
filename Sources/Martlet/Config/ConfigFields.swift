/// The fields of one config object: each call declares a field and returns its value.
///
/// The same declarations run in two modes. Decoding reads the values and reports every problem; a field with a
/// problem returns a placeholder, so that the rest is checked too, and the config that is built is thrown away.
/// Describing gathers the declarations for documentation and the JSON Schema, and returns placeholders only.
public struct ConfigFields {
    /// What happens to keys that no field declares.
    public enum Keys: Sendable {
        /// They are problems, except for these, which the platform reads from the same object.
        case strict(reserved: [String])
        /// They are left to someone else: the platform uses this for objects whose other keys are a module's.
        case open
    }

    enum Mode {
        case decode(JSONObject)
        case describe
    }

    /// The place of the object, whose path ends with the module's name where it stands under one.
    public let place: ConfigPlace
    let mode: Mode
    let problems: ConfigProblems
    let context: ShapeContext
    private(set) var descriptions: [FieldDescription] = []
    /// The fields whose values have problems, which are reported.
    private var failedKeys: Set<String> = []
    /// These, the keys that no field declares, and those that a broken rule points at.
    private(set) var refusedKeys: Set<String> = []

    init(_ object: JSONObject, place: ConfigPlace, problems: ConfigProblems) {
        mode = .decode(object)
        self.place = place
        self.problems = problems
        context = ShapeContext()
    }

    /// Fields to describe.
    init(context: ShapeContext) {
        mode = .describe
        place = ConfigPlace(path: .root, position: .none)
        problems = ConfigProblems(file: "")
        self.context = context
    }

    /// The last key of the object's path: the name under which a source, topic or group is configured.
    public var name: String { place.path.name ?? "" }

    /// Whether these fields, declared before, are good values or left out, whatever the others are. When describing, none is.
    public func areValid(_ keys: String...) -> Bool { areValid(keys) }

    private func areValid(_ keys: [String]) -> Bool {
        if case .decode = mode { failedKeys.isDisjoint(with: keys) } else { false }
    }

    /// Where the value of a declared key stands (or the object, if the key is left out), to report a problem later.
    public func place(of key: String) -> ConfigPlace {
        ConfigPlace(path: place.path.appending(key), position: member(key)?.value.position ?? place.position)
    }

    /// Whether the key is written in the config.
    public func isPresent(_ key: String) -> Bool {
        member(key) != nil
    }

    /// Reports that a rule of a field, or between several, is broken. Ignored if one of them has a problem of its own:
    /// its placeholder may break the rule. What is wrong with other fields does not matter.
    ///
    /// - Parameters:
    ///   - key: the field to point at.
    ///   - others: the other fields that the rule looks at.
    public mutating func problem(
        at key: String, with others: [String] = [], _ message: String, code: ConfigProblem.Code = .invalid, found: String? = nil,
        suggestion: String? = nil, choices: ConfigProblem.Choices? = nil, hint: String? = nil
    ) {
        let keys = [key] + others
        assert(keys.allSatisfy { key in descriptions.contains { $0.name == key } }, "a rule looks at a field that is not declared: \(keys)")
        guard areValid(keys) else { return }
        problems.report(
            code, at: place(of: key), message, found: found, suggestion: suggestion, choices: choices, hint: hint)
        refusedKeys.insert(key)
    }

    /// Declares one field, and decodes it in decode mode.
    ///
    /// - Returns: nil if the key is left out, if the value was bad (then it was reported), or when describing. An object or
    ///   a map with a problem inside comes with placeholders there, so that the rest of it can be checked.
    mutating func field<Value: ConfigValue>(
        _ description: FieldDescription, as type: Value.Type, ifLeftOut nodeLeftOut: JSONNode? = nil,
        check: (ConfigInput, Value) -> Bool
    ) -> Value? {
        precondition(
            !descriptions.contains { $0.name == description.name }, "the field \(description.name) is declared twice")
        descriptions.append(description)
        guard case .decode = mode else { return nil }
        guard let node = member(description.name)?.value ?? nodeLeftOut else {
            if description.isRequired { reportMissing(description) }
            return nil
        }
        let input = ConfigInput(
            node: node, path: place.path.appending(description.name), problems: problems)
        let countBefore = problems.count
        let value = input.decode(as: Value.self).flatMap { check(input, $0) ? $0 : nil }
        if value == nil || problems.count != countBefore { fail(description.name) }
        return value
    }

    /// Reports the keys that nothing declared. To be called once, after all declarations.
    mutating func finish(_ keys: Keys) {
        guard case .decode(let object) = mode, case .strict(let reserved) = keys else { return }
        let declared = descriptions.map(\.name)
        let known = reserved + declared.filter { !reserved.contains($0) }
        for member in object.members where !known.contains(member.key) {
            let path = place.path.appending(member.key)
            if ModuleConfigKeys.everywhere.contains(member.key) {
                let input = ConfigInput(node: member.value, path: path, problems: problems)
                if input.decode(as: ConfigText.self) == nil { refusedKeys.insert(member.key) }
                continue
            }
            refusedKeys.insert(member.key)
            problems.reportUnknown(
                "key", member.key, code: .unknownKey,
                at: ConfigPlace(path: path, position: member.keyPosition), among: known, title: "valid keys")
        }
    }

    private mutating func fail(_ key: String) {
        failedKeys.insert(key)
        refusedKeys.insert(key)
    }

    private func member(_ key: String) -> JSONObject.Member? {
        if case .decode(let object) = mode { object.member(key) } else { nil }
    }

    private mutating func reportMissing(_ description: FieldDescription) {
        fail(description.name)
        let sample = description.example.map {
            ", for example \(JSONWriter.quoted(description.name)): \(JSONWriter.text($0))"
        }
        problems.report(
            .missingKey, at: place, "missing required key `\(description.name)`",
            hint: "\(description.name): \(description.typeName)\(sample ?? "")")
    }
}

/// Keys that mean the same in every object.
enum ModuleConfigKeys {
    /// Allowed in every object with declared fields; nothing reads them.
    static let everywhere = ["$schema", "description"]
}
