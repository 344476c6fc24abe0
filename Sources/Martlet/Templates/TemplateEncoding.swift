/// How values are written into the text around them, which depends on the place that the text goes to.
///
/// Only values are encoded: the text of the config stands as it is.
public enum TemplateEncoding: Sendable {
    /// As they are.
    case plain
    /// One segment of a URL's path, or a query value: everything but RFC 3986's unreserved characters is
    /// percent-encoded. A value that is empty, `.` or `..` would lead elsewhere and is the record's permanent error.
    case urlSegment
    /// The value of an HTTP header (RFC 9110, 5.5): a value with a line break or another control character is the
    /// record's permanent error.
    case headerValue
}

extension TemplateEncoding {
    /// Encodes one value; the source is for the error.
    func encode(
        _ value: String, of source: TemplateSource, in sources: TemplateSources
    ) throws(ModuleError) -> String {
        switch self {
        case .plain:
            return value
        case .urlSegment:
            if value.isEmpty || value == "." || value == ".." {
                throw .permanent(
                    "template.bad_url_segment",
                    "the value of `${\(sources.expression(of: source))}` is \(JSONText.quoted(value)), which cannot be a segment of a URL")
            }
            return Self.percentEncoded(value)
        case .headerValue:
            if let control = value.utf8.first(where: { ($0 < 0x20 && $0 != 0x09) || $0 == 0x7F }) {
                throw .permanent(
                    "template.bad_header_value",
                    "the value of `${\(sources.expression(of: source))}` holds the control character 0x\(Self.hexadecimal(control)), "
                        + "which a header cannot carry")
            }
            return value
        }
    }

    private static func percentEncoded(_ text: String) -> String {
        var output: [UInt8] = []
        output.reserveCapacity(text.utf8.count + 8)
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
                UInt8(ascii: "~"):
                output.append(byte)
            default:
                output.append(UInt8(ascii: "%"))
                output += hexadecimal(byte).utf8
            }
        }
        return String(decoding: output, as: UTF8.self)
    }

    private static func hexadecimal(_ byte: UInt8) -> String {
        let digits = String(byte, radix: 16, uppercase: true)
        return byte < 16 ? "0" + digits : digits
    }
}
