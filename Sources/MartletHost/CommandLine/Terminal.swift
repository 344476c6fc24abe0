import Glibc

/// Output for people and programs. Nothing else in the executable writes to standard output.
enum Terminal {
    /// Whether standard output is a terminal, so that colour and progress make sense.
    static var isInteractive: Bool { isatty(STDOUT_FILENO) == 1 }

    /// Whether a person reads standard error, so that progress makes sense there.
    static var showsProgress: Bool { isatty(STDERR_FILENO) == 1 }

    /// One or more lines on standard output.
    static func print(_ text: String) {
        _ = write(Array((text + "\n").utf8), to: STDOUT_FILENO)
    }

    /// Bytes on standard output as they are. False once nobody reads them any more.
    static func printBytes(_ bytes: [UInt8]) -> Bool {
        write(bytes, to: STDOUT_FILENO)
    }

    /// A note on standard error for the person who waits; nothing if there is none.
    static func note(_ text: String) {
        if showsProgress { _ = write(Array((text + "\n").utf8), to: STDERR_FILENO) }
    }

    /// One or more lines on standard error.
    static func printError(_ text: String) {
        _ = write(Array(("martlet: " + text + "\n").utf8), to: STDERR_FILENO)
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

    private static func write(_ bytes: [UInt8], to descriptor: Int32) -> Bool {
        bytes.withUnsafeBytes { bytes in
            var rest = bytes
            while !rest.isEmpty {
                let count = Glibc.write(descriptor, rest.baseAddress, rest.count)
                if count < 0 && errno == EINTR { continue }
                guard count > 0 else { return false }
                rest = UnsafeRawBufferPointer(rebasing: rest[count...])
            }
            return true
        }
    }
}
