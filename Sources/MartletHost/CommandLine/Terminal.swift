import Glibc

/// Output for people and programs. Nothing else in the executable writes to standard output.
enum Terminal {
    /// Whether standard output is a terminal, so that colour and progress make sense.
    static var isInteractive: Bool { isatty(STDOUT_FILENO) == 1 }

    /// One or more lines on standard output.
    static func print(_ text: String) {
        write(text + "\n", to: STDOUT_FILENO)
    }

    /// One or more lines on standard error.
    static func printError(_ text: String) {
        write("martlet: " + text + "\n", to: STDERR_FILENO)
    }

    static func padded(_ text: String, _ width: Int) -> String {
        text + String(repeating: " ", count: max(0, width - text.count))
    }

    /// Columns aligned under a header.
    static func table(_ header: [String], _ rows: [[String]]) -> String {
        let all = [header] + rows
        let widths = header.indices.map { column in all.map { $0[column].count }.max() ?? 0 }
        return all.map { row in
            let cells = row.enumerated().map { padded($0.element, $0.offset == row.count - 1 ? 0 : widths[$0.offset]) }
            return cells.joined(separator: "  ")
        }.joined(separator: "\n")
    }

    private static func write(_ text: String, to descriptor: Int32) {
        var text = text
        text.withUTF8 { bytes in
            var rest = UnsafeRawBufferPointer(bytes)
            while !rest.isEmpty {
                let count = Glibc.write(descriptor, rest.baseAddress, rest.count)
                if count < 0 && errno == EINTR { continue }
                guard count > 0 else { return }
                rest = UnsafeRawBufferPointer(rebasing: rest[count...])
            }
        }
    }
}
