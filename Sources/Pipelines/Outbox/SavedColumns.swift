import Martlet

/// The columns of a save's `RETURNING` as a JSON object, and back.
enum SavedColumns {
    static func encode(_ saved: [String: DataValue]) -> DataValue {
        guard !saved.isEmpty else { return .null }
        var output: [UInt8] = []
        for (name, value) in saved.sorted(by: { $0.key < $1.key }) {
            output.append(output.isEmpty ? UInt8(ascii: "{") : UInt8(ascii: ","))
            JSONText.appendQuoted(name, to: &output)
            output.append(UInt8(ascii: ":"))
            JSONText.append(value, to: &output)
        }
        output.append(UInt8(ascii: "}"))
        return .text(String(decoding: output, as: UTF8.self))
    }

    static func decode(_ value: DataValue) -> [String: DataValue] {
        guard case .text(let text) = value,
            case .object(let object)? = JSONReader.read(text, problems: ConfigProblems(file: ""))?.kind
        else { return [:] }
        return object.members.reduce(into: [:]) { columns, member in columns[member.key] = data(member.value) }
    }

    private static func data(_ node: JSONNode) -> DataValue {
        switch node.kind {
        case .null: .null
        case .bool(let value): .bool(value)
        case .number(let number): number.int64.map { .integer($0) } ?? .double(Double(number.text) ?? 0)
        case .string(let text): .text(text)
        case .array, .object: .json(JSONWriter.text(node))
        }
    }
}
