import Martlet

/// Headers as one text: a JSON array of name, value, name, value …, values in base16, so that any bytes survive.
enum HeaderText {
    private static let digits = [UInt8]("0123456789abcdef".utf8)

    /// Nil if there are none.
    static func encode(_ headers: [Header]) -> String? {
        guard !headers.isEmpty else { return nil }
        var output: [UInt8] = []
        for header in headers {
            output.append(output.isEmpty ? UInt8(ascii: "[") : UInt8(ascii: ","))
            JSONText.appendQuoted(header.name, to: &output)
            output.append(contentsOf: ",\"".utf8)
            header.value.withUnsafeBytes { bytes in
                for byte in bytes {
                    output.append(digits[Int(byte >> 4)])
                    output.append(digits[Int(byte & 15)])
                }
            }
            output.append(UInt8(ascii: "\""))
        }
        output.append(UInt8(ascii: "]"))
        return String(decoding: output, as: UTF8.self)
    }

    static func decode(_ text: String) throws -> [Header] {
        let problems = ConfigProblems(file: "martlet_outbox.headers")
        guard case .array(let items)? = JSONReader.read(text, problems: problems)?.kind, items.count % 2 == 0 else {
            throw ModuleError.blocked("outbox.bad_row", "the headers of a row of martlet_outbox are damaged: \(problems.text)")
        }
        return try stride(from: 0, to: items.count, by: 2).map { index in
            guard case .string(let name) = items[index].kind, case .string(let digits) = items[index + 1].kind,
                let value = bytes(ofBase16: digits)
            else {
                throw ModuleError.blocked("outbox.bad_row", "the headers of a row of martlet_outbox are damaged")
            }
            return Header(name, Bytes(value))
        }
    }

    private static func bytes(ofBase16 text: String) -> [UInt8]? {
        let nibbles = text.utf8.map { Character(UnicodeScalar($0)).hexDigitValue }
        guard nibbles.count % 2 == 0 else { return nil }
        return stride(from: 0, to: nibbles.count, by: 2).reduce(into: [UInt8]?.some([])) { bytes, index in
            guard let high = nibbles[index], let low = nibbles[index + 1] else {
                bytes = nil
                return
            }
            bytes?.append(UInt8(high << 4 | low))
        }
    }
}
