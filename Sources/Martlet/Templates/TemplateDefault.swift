/// What `${/x:-default}` yields when there is no such field.
///
/// A default that is JSON keeps its type in a template that is nothing else: `0` is a number, `null` is null, `"0"` a
/// string. Any other default is text.
public struct TemplateDefault: Sendable, Hashable {
    /// As it appears inside other text.
    public let text: String
    /// As the value of a template that is nothing else.
    public let value: DataValue
    /// The value as JSON.
    let json: [UInt8]

    init(_ written: String) {
        let parsed = JSONReader.read(written, problems: ConfigProblems(file: ""))
        switch parsed?.kind {
        case nil: value = .text(written)
        case .null: value = .null
        case .bool(let flag): value = .bool(flag)
        case .number(let number):
            if let integer = number.int64 {
                value = .integer(integer)
            } else {
                value = number.double.isFinite ? .double(number.double) : .text(written)
            }
        case .string(let string): value = .text(string)
        case .array, .object: value = .json(written)
        }
        if case .text(let string) = value { text = string } else { text = written }
        var json: [UInt8] = []
        JSONText.append(value, to: &json)
        self.json = json
    }
}
