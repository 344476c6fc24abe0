import Glibc

/// Where log lines go and how they look.
public struct LogOutput: Sendable {
    /// How a line is written.
    public enum Format: String, Sendable, CaseIterable {
        case text, json
    }

    /// Lines below this level are dropped.
    public let minimum: Logger.Level
    let format: Format
    private let sink: @Sendable (String) -> Void

    /// - Parameter sink: takes one finished line, newline included.
    public init(minimum: Logger.Level, format: Format, sink: @escaping @Sendable (String) -> Void) {
        self.minimum = minimum
        self.format = format
        self.sink = sink
    }

    /// Standard error; text if it is a terminal, else JSON, unless a format is given.
    public static func standardError(minimum: Logger.Level = .info, format: Format? = nil) -> LogOutput {
        let chosen = format ?? (isatty(STDERR_FILENO) == 1 ? .text : .json)
        return LogOutput(minimum: minimum, format: chosen) { line in
            var line = line
            line.withUTF8 { bytes in
                // One write call a line, so that lines of several threads do not mix. A closed standard error loses it.
                _ = Glibc.write(STDERR_FILENO, bytes.baseAddress, bytes.count)
            }
        }
    }

    func write(_ level: Logger.Level, _ message: String, _ fields: [(String, String)]) {
        let time = Self.utc(Timestamp.now())
        switch format {
        case .text:
            let trailer = fields.map { " \($0.0)=\(Self.isPlain($0.1) ? $0.1 : JSONText.quoted($0.1))" }.joined()
            sink("\(time) \(level.text) \(message)\(trailer)\n")
        case .json:
            var line = "{\"time\":\"\(time)\",\"level\":\"\(level.text)\",\"message\":\(JSONText.quoted(message))"
            for field in fields { line += ",\(JSONText.quoted(field.0)):\(JSONText.quoted(field.1))" }
            sink(line + "}\n")
        }
    }

    /// Whether a field's value can stand as it is: some come from outside, and must neither forge a line nor talk to the
    /// terminal.
    private static func isPlain(_ value: String) -> Bool {
        value.utf8.allSatisfy { $0 > 0x20 && $0 != UInt8(ascii: "\"") && $0 != 0x7F }
    }

    /// RFC 3339 in UTC with milliseconds.
    package static func utc(_ milliseconds: Int64) -> String {
        var seconds = time_t(milliseconds / 1000)
        var parts = tm()
        gmtime_r(&seconds, &parts)
        func pad(_ number: Int32, _ width: Int = 2) -> String {
            let text = String(number)
            return String(repeating: "0", count: max(0, width - text.count)) + text
        }
        let date = "\(parts.tm_year + 1900)-\(pad(parts.tm_mon + 1))-\(pad(parts.tm_mday))"
        let clock = "\(pad(parts.tm_hour)):\(pad(parts.tm_min)):\(pad(parts.tm_sec))"
        return "\(date)T\(clock).\(pad(Int32(milliseconds % 1000), 3))Z"
    }
}
