extension ConfigFields {
    /// Declares a field that must be there.
    ///
    /// - Parameters:
    ///   - name: the key, in snake_case; a quantity's key ends in its unit (see ``FieldUnit``).
    ///   - summary: one sentence for the user.
    ///   - example: a sensible value, for the documentation and the message when the key is missing.
    public mutating func required<Value: ConfigValue>(
        _ name: String, _ summary: String, example: Value? = nil
    ) -> Value {
        let description = FieldDescription(
            name: name, summary: summary, shape: Value.shape(context), isRequired: true, example: example?.configNode)
        return field(description, as: Value.self) { _, _ in true } ?? Value.placeholder
    }

    /// Declares a number that must be there and lie in a range; `1...Int.max` has no upper limit.
    public mutating func required<Value: ConfigValue & Comparable>(
        _ name: String, in range: ClosedRange<Value>, _ summary: String, example: Value? = nil
    ) -> Value {
        let description = FieldDescription(
            name: name, summary: summary, shape: Value.shape(context), isRequired: true,
            range: ConfigRange(range), example: example?.configNode)
        return field(description, as: Value.self) { $0.check($1, in: range, of: description) } ?? Value.placeholder
    }

    /// Declares a field that may be left out, and then has a default.
    public mutating func optional<Value: ConfigValue>(
        _ name: String, default defaultValue: Value, _ summary: String, example: Value? = nil
    ) -> Value {
        let description = FieldDescription(
            name: name, summary: summary, shape: Value.shape(context), isRequired: false,
            defaultValue: defaultValue.configNode, example: example?.configNode)
        return field(description, as: Value.self) { _, _ in true } ?? defaultValue
    }

    /// Declares a number that may be left out, and then has a default; `1...Int.max` has no upper limit.
    public mutating func optional<Value: ConfigValue & Comparable>(
        _ name: String, default defaultValue: Value, in range: ClosedRange<Value>, _ summary: String,
        example: Value? = nil
    ) -> Value {
        precondition(range.contains(defaultValue), "the default of \(name) is outside its range")
        let description = FieldDescription(
            name: name, summary: summary, shape: Value.shape(context), isRequired: false,
            defaultValue: defaultValue.configNode, range: ConfigRange(range), example: example?.configNode)
        return field(description, as: Value.self) { $0.check($1, in: range, of: description) } ?? defaultValue
    }

    /// Declares a field that may be left out, and then is nil.
    public mutating func optional<Value: ConfigValue>(
        _ name: String, _ summary: String, example: Value? = nil
    ) -> Value? {
        let description = FieldDescription(
            name: name, summary: summary, shape: Value.shape(context), isRequired: false, example: example?.configNode)
        return field(description, as: Value.self) { _, _ in true }
    }

    /// Declares a number that may be left out, and then is nil; `1...Int.max` has no upper limit.
    public mutating func optional<Value: ConfigValue & Comparable>(
        _ name: String, in range: ClosedRange<Value>, _ summary: String, example: Value? = nil
    ) -> Value? {
        let description = FieldDescription(
            name: name, summary: summary, shape: Value.shape(context), isRequired: false,
            range: ConfigRange(range), example: example?.configNode)
        return field(description, as: Value.self) { $0.check($1, in: range, of: description) }
    }

    /// Declares an object of settings; left out, it is as if it were `{}`, so that its fields have their defaults.
    public mutating func section<Value: ModuleConfig>(
        _ name: String, _ summary: String, as type: Value.Type = Value.self
    ) -> Value {
        let description = FieldDescription(
            name: name, summary: summary, shape: Value.shape(context), isRequired: false)
        let empty = JSONNode(.object(JSONObject()), position: place.position)
        return field(description, as: Value.self, ifLeftOut: empty) { _, _ in true } ?? Value.placeholder
    }
}

extension ConfigInput {
    fileprivate func check<Value: Comparable>(
        _ value: Value, in range: ClosedRange<Value>, of field: FieldDescription
    ) -> Bool {
        if range.contains(value) { return true }
        let unit = field.unit.map { " \($0.rawValue)" } ?? ""
        report("must be \(field.range?.text ?? "in range")\(unit)", code: .outOfRange, found: node.found)
        return false
    }
}
